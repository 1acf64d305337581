import Locking

/// The router's part of the host, for whichever thread has to do with it: at start, at a reload, at the end.
final class HostDesk: Sendable {
    private let host: Guarded<HostSide>

    /// Makes the host what `interfaces` ask for; an error leaves nothing.
    init(_ interfaces: [HostInterface], forwarding: Bool) throws(RouterError) {
        do throws(HostSideError) {
            let host = try HostSide()
            try host.apply(interfaces, forwarding: forwarding)
            self.host = Guarded(host)
        } catch {
            throw .host(error)
        }
    }

    /// As `HostSide.apply`.
    func apply(_ interfaces: [HostInterface], forwarding: Bool) throws(HostSideError) {
        try host.withLock { host throws(HostSideError) in try host.apply(interfaces, forwarding: forwarding) }
    }

    /// As `HostSide.checkForwarding`.
    func checkForwarding() throws(HostSideError) {
        try host.withLock { host throws(HostSideError) in try host.checkForwarding() }
    }

    /// As `HostSide.takeBack`.
    func takeBack() -> [HostSideError] { host.withLock { $0.takeBack() } }
}
