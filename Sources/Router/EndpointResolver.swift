import Configuration
import Glibc
import Linux
import Logging
import PacketPath
import Pipeline
import Synchronization
import Wire
import WireGuard

/// Looks up the names of endpoints, off the packet path: at start, and again after a while where that fails.
final class EndpointResolver: Sendable {
    struct Name: Sendable {
        let interface: InterfaceID
        let peer: RouterPlan.Peer
        let endpoint: HostPort
    }

    private let names: [Name]
    private let mailboxes: [Mailbox]
    private let log: RouterLog
    private let wakeup: EventDescriptor
    private let isStopped = Atomic(false)

    /// Between two rounds of look-ups, in milliseconds: doubles up to a minute.
    private static let firstPause: CInt = 2000
    private static let longestPause: CInt = 60_000

    init(_ plan: RouterPlan, _ mailboxes: [Mailbox], _ log: RouterLog) throws(Errno) {
        self.log = log
        self.mailboxes = mailboxes
        wakeup = try EventDescriptor()
        names = plan.interfaces.flatMap { interface in
            interface.peers.compactMap { peer in
                guard let endpoint = peer.configuration.endpoint?.value, endpoint.endpoint == nil else { return nil }
                return Name(interface: interface.id, peer: peer, endpoint: endpoint)
            }
        }
    }

    var isNeeded: Bool { !names.isEmpty }

    /// Nothing is told or logged after this; the thread in `run` ends when the system's resolver lets go of it.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    private var goesOn: Bool { !isStopped.load(ordering: .acquiring) }

    /// Tells the peers' owners of their endpoints until every name is known, or until `stop`.
    func run() {
        var pending = names
        var pause = Self.firstPause
        while goesOn {
            pending.removeAll { goesOn && resolve($0) }
            guard !pending.isEmpty else { return }
            var waiting = pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&waiting, 1, pause)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func resolve(_ name: Name) -> Bool {
        let endpoint = lookUp(name.endpoint)
        guard goesOn else { return false }
        guard let endpoint else {
            log.logger.warning("\(name.peer.displayName): cannot look up \(name.endpoint), trying again")
            return false
        }
        log.logger.info("\(name.peer.displayName): \(name.endpoint) is \(endpoint)")
        // The peer may be gone by now, and its number another one's.
        log.registry.withOwner(of: name.peer.id, name.peer.configuration.publicKey.value) { owner in
            mailboxes[owner].post { worker, now in
                worker.wireGuard.locate(name.peer.id, at: endpoint, on: name.interface, now)
            }
        }
        return true
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
