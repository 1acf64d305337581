import Crypto
import Pipeline
import Wire

/// What must be unique among peers and interfaces, noted while they are read, so that a peer with an error elsewhere
/// counts too.
struct CrossChecks {
    let diagnostics: Diagnostics
    var claims: [Claim.Subject: [Claim]] = [:]
    private var keys: [KeyUse: Located<String>] = [:]
    private var ports: [UInt16: Located<String>] = [:]
    private var networks: [OwnedNetwork] = []
    var endpoints: [RoutedEndpoint] = []
    /// Everybody that the file names, errors or not: to speak of one that has an error is no further error.
    private(set) var tunnels: [String] = []
    private(set) var peers: [PeerName] = []

    init(_ diagnostics: Diagnostics) { self.diagnostics = diagnostics }

    /// Names are noted before it is known whether they can be names.
    func quote(_ name: String) -> String { Quotation.quote(name) }

    /// So many peers are about to come.
    mutating func reserve(_ count: Int) {
        peers.reserveCapacity(peers.count + count)
        keys.reserveCapacity(keys.count + count)
        claims.reserveCapacity(claims.count + count)
    }

    mutating func note(tunnel name: String) { tunnels.append(name) }

    mutating func note(peer name: String, on tunnel: String) { peers.append(PeerName(tunnel: tunnel, name: name)) }

    // MARK: Allowed prefixes

    /// A peer's claim to a prefix.
    struct Claim {
        /// Prefixes are looked up in an interface's own table, and in the host's where they become routes.
        enum Subject: Hashable {
            case interface(String, Prefix)
            case route(Prefix)

            var routedLength: Int? {
                if case .route(let prefix) = self { prefix.length } else { nil }
            }
        }

        let prefix: Located<Prefix>
        let peer: String
        let interface: String
        /// Whether it becomes a route.
        let isRouted: Bool
        let rank: Int
    }

    /// Two peers may claim one prefix only with different ranks.
    mutating func note(_ claim: Claim) {
        if let other = add(claim, to: .interface(claim.interface, claim.prefix.value)) {
            if other.peer == claim.peer {
                diagnostics.warning("\(claim.prefix.value) is listed twice", at: claim.prefix.position)
            } else {
                report(claim, other.peer, of: other)
            }
        } else if claim.isRouted, let other = add(claim, to: .route(claim.prefix.value)) {
            report(claim, "\(other.interface)/\(other.peer)", of: other)
        }
    }

    /// The earlier claim that this one cannot stand beside.
    private mutating func add(_ claim: Claim, to subject: Claim.Subject) -> Claim? {
        Self.add(claim, to: &claims[subject, default: []])
    }

    private static func add(_ claim: Claim, to claims: inout [Claim]) -> Claim? {
        if let other = claims.first(where: { $0.rank == claim.rank }) { return other }
        claims.append(claim)
        return nil
    }

    private func report(_ claim: Claim, _ otherName: String, of other: Claim) {
        diagnostics.error(
            "peer \(quote(claim.peer)) claims \(claim.prefix.value), which peer \(quote(otherName)) has on line "
                + "\(other.prefix.position.line)", at: claim.prefix.position)
    }

    // MARK: Public keys

    private struct KeyUse: Hashable {
        let key: PublicKey
        let interface: String
    }

    mutating func note(_ key: Located<PublicKey>, of peer: Located<String>, on interface: String) {
        let use = KeyUse(key: key.value, interface: interface)
        let located = Located(peer.value, at: key.position)
        if let other = keys.updateValue(located, forKey: use) {
            keys[use] = other
            diagnostics.error(
                "peer \(quote(peer.value)) has the public key of peer \(quote(other.value)) on line \(other.position.line)",
                at: key.position)
        }
    }

    // MARK: Ports

    mutating func note(port: Located<UInt16>, of interface: String) {
        guard port.value != 0 else { return }
        if let other = ports[port.value] {
            diagnostics.error(
                "\(quote(interface)) listens on port \(port.value), as \(quote(other.value)) does on line "
                    + "\(other.position.line)",
                at: port.position)
        } else {
            ports[port.value] = Located(interface, at: port.position)
        }
    }

    // MARK: Addresses

    private struct OwnedNetwork {
        let address: Located<InterfaceAddress>
        let network: Prefix
        let interface: String
    }

    mutating func note(_ address: Located<InterfaceAddress>, of interface: String) {
        // Every interface has its own fe80::/64.
        guard !address.value.address.isLinkLocal else { return }
        networks.append(OwnedNetwork(address: address, network: address.value.network, interface: interface))
    }

    /// What can only be seen when all has been read.
    func finish() {
        findLoops()
        findOverlaps()
    }

    /// Networks nest or are apart. In the order of their first address, and the wider one first, those that a network
    /// lies in are the ones that are still open when its turn comes.
    private func findOverlaps() {
        var open: [OwnedNetwork] = []
        for next in networks.sorted(by: Self.isBefore) {
            while let last = open.last, !last.network.contains(next.network) { open.removeLast() }
            if let other = open.last(where: { $0.interface != next.interface }) {
                reportOverlap(other, next)
            } else if let same = open.last(where: { $0.address.value.address == next.address.value.address }) {
                let (first, second) = Self.inFileOrder(same, next)
                diagnostics.error(
                    "\(second.address.value.address) is on line \(first.address.position.line) already",
                    at: second.address.position)
            }
            open.append(next)
        }
    }

    private func reportOverlap(_ a: OwnedNetwork, _ b: OwnedNetwork) {
        let (first, second) = Self.inFileOrder(a, b)
        diagnostics.error(
            "\(second.address.value) of \(quote(second.interface)) overlaps \(first.address.value) of "
                + "\(quote(first.interface)) on line \(first.address.position.line)", at: second.address.position)
    }

    private static func inFileOrder(_ a: OwnedNetwork, _ b: OwnedNetwork) -> (OwnedNetwork, OwnedNetwork) {
        a.address.position <= b.address.position ? (a, b) : (b, a)
    }

    private static func isBefore(_ a: OwnedNetwork, _ b: OwnedNetwork) -> Bool {
        func order(_ owned: OwnedNetwork) -> (UInt8, UInt64, UInt64, Int) {
            let first = owned.network.address
            return (first.family.rawValue, first.high, first.low, owned.network.length)
        }
        return order(a) == order(b) ? a.address.position < b.address.position : order(a) < order(b)
    }
}
