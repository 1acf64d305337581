import Pipeline
import Wire

extension Prefix {
    /// What is left of the prefix without those that lie in it: disjoint prefixes.
    package func subtracting(_ holes: [Prefix]) -> [Prefix] {
        let inside = holes.filter { contains($0) }
        guard !inside.isEmpty else { return [self] }
        guard !inside.contains(self), let (lower, upper) = halves else { return [] }
        return lower.subtracting(inside) + upper.subtracting(inside)
    }

    private var halves: (Prefix, Prefix)? {
        guard length < family.bitWidth, let lower = Prefix(address, length: length + 1) else { return nil }
        let bit = family.bitWidth - 1 - length
        let other =
            family == .v4
            ? IPAddress(v4: address.v4Bits | 1 << UInt32(bit))
            : IPAddress(
                v6High: bit < 64 ? address.high : address.high | 1 << UInt64(bit - 64),
                low: bit < 64 ? address.low | 1 << UInt64(bit) : address.low)
        return Prefix(other, length: length + 1).map { (lower, $0) }
    }
}

extension FileContext {
    /// The addresses that prove a peer: its allowed-ips without those that another peer of its tunnel has more exactly.
    package func provenPrefixes(of peer: PeerName) -> [Prefix] {
        let own = peers.first { $0.name == peer }?.prefixes ?? []
        guard own.contains(where: { $0.length < $0.family.bitWidth }) else { return own }
        let others = peers.filter { $0.name.tunnel == peer.tunnel && $0.name != peer }.flatMap(\.prefixes)
        return own.flatMap { prefix in prefix.subtracting(others.filter { $0 != prefix && prefix.contains($0) }) }
    }

    /// What proves it before or after a change of peers that is under way: what refuses it has to refuse all of it.
    package func claimedPrefixes(of peer: PeerName) -> [Prefix] {
        versions.isEmpty ? provenPrefixes(of: peer) : Array(Set(versions.flatMap { $0.claimedPrefixes(of: peer) }))
    }
}
