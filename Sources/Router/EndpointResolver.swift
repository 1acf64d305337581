import Configuration
import Glibc
import Linux
import Logging
import Pipeline
import Synchronization
import Wire

/// Looks up the names of endpoints, off the packet path: at start, and again after a while where that fails.
final class EndpointResolver: Sendable {
    struct Name: Sendable {
        let interface: InterfaceID
        let peer: RouterPlan.Peer
        let endpoint: HostPort
    }

    private let names: [Name]
    private let log: RouterLog
    private let wakeup: EventDescriptor
    private let isStopped = Atomic(false)

    /// Between two rounds of look-ups, in milliseconds: doubles up to a minute.
    private static let firstPause: CInt = 2000
    private static let longestPause: CInt = 60_000

    init(_ plan: RouterPlan, _ log: RouterLog) throws(Errno) {
        self.log = log
        wakeup = try EventDescriptor()
        names = plan.interfaces.flatMap { interface in
            interface.peers.compactMap { peer in
                guard let endpoint = peer.configuration.endpoint?.value, endpoint.endpoint == nil else { return nil }
                return Name(interface: interface.id, peer: peer, endpoint: endpoint)
            }
        }
    }

    var isNeeded: Bool { !names.isEmpty }

    /// Ends `run` before its next look-up. One that is under way ends when the system's resolver lets go of it.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Runs until every name is known, or until `stop`.
    func run(_ found: (Name, Endpoint) -> Void) {
        var pending = names
        var pause = Self.firstPause
        while true {
            pending.removeAll { name in
                guard !isStopped.load(ordering: .acquiring) else { return false }
                guard let endpoint = lookUp(name.endpoint) else {
                    log.logger.warning("\(name.peer.displayName): cannot look up \(name.endpoint), trying again")
                    return false
                }
                found(name, endpoint)
                return true
            }
            guard !pending.isEmpty, !isStopped.load(ordering: .acquiring) else { return }
            var waiting = pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&waiting, 1, pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func lookUp(_ endpoint: HostPort) -> Endpoint? {
        switch endpoint.host {
        case .address(let address, let zone):
            let scope = zone.map { unsafe if_nametoindex($0) } ?? 0
            return zone != nil && scope == 0 ? nil : Endpoint(address: address, port: endpoint.port, scope: scope)
        case .name(let name):
            return Self.addresses(of: name).first.map { Endpoint(address: $0, port: endpoint.port) }
        }
    }

    /// In the order of RFC 6724, as the system's resolver gives them.
    private static func addresses(of name: String) -> [IPAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_DGRAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var entry = unsafe list
        while let info = unsafe entry?.pointee {
            if let raw = unsafe UnsafeRawPointer(info.ai_addr) {
                if unsafe info.ai_family == AF_INET {
                    addresses.append(unsafe IPAddress(v4At: raw + offsetInSockaddrIn))
                } else if unsafe info.ai_family == AF_INET6 {
                    addresses.append(unsafe IPAddress(v6At: raw + offsetInSockaddrIn6))
                }
            }
            unsafe entry = info.ai_next
        }
        return addresses
    }

    /// Behind family and port; with IPv6 behind the flow information too (netinet/in.h).
    private static let offsetInSockaddrIn = 4
    private static let offsetInSockaddrIn6 = 8
}
