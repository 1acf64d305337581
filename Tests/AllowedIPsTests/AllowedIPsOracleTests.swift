import Support
import Testing
import Wire

@testable import AllowedIPs

/// The table against a list that is searched from end to end.
@Suite struct AllowedIPsOracleTests {
    /// What the table should be: prefixes with their peers, in the order they came.
    private struct List {
        private(set) var entries: [(prefix: Prefix, peer: PeerID)] = []

        mutating func insert(_ prefix: Prefix, _ peer: PeerID) {
            entries.removeAll { $0.prefix == prefix }
            entries.append((prefix, peer))
        }

        mutating func remove(_ prefix: Prefix, _ peer: PeerID) -> Bool {
            let before = entries.count
            entries.removeAll { $0.prefix == prefix && $0.peer == peer }
            return entries.count < before
        }

        mutating func removeAll(_ peer: PeerID) { entries.removeAll { $0.peer == peer } }

        func lookup(_ address: IPAddress) -> PeerID {
            entries.filter { $0.prefix.contains(address) }.max { $0.prefix.length < $1.prefix.length }?.peer ?? .none
        }

        func prefixes(_ peer: PeerID) -> [Prefix] { entries.filter { $0.peer == peer }.map(\.prefix) }
    }

    /// How alike the addresses of a run are: bits that vary at all, so that prefixes nest, collide and repeat.
    enum Spread: CaseIterable { case dense, clustered, wide }

    private func address(_ spread: Spread, _ random: inout SeededGenerator) -> IPAddress {
        let isV4 = Bool.random(using: &random)
        var (high, low) = (random.next(), random.next())
        switch spread {
        case .dense:
            // Few bits, at both ends of the address.
            high &= 0xc000_0000_0000_0001
            low &= 0x8000_0000_0000_0003
        case .clustered:
            // A few bytes, each of two values, as networks have them.
            let bytes: UInt64 = 0x0101_0101_0101_0101
            high &= bytes
            low &= bytes
        case .wide: break
        }
        return isV4 ? IPAddress(v4: UInt32(truncatingIfNeeded: high >> 32 ^ high)) : IPAddress(v6High: high, low: low)
    }

    private func prefix(_ spread: Spread, _ random: inout SeededGenerator) throws -> Prefix {
        let address = address(spread, &random)
        let length = Int.random(in: 0...address.family.bitWidth, using: &random)
        return try #require(Prefix(address, length: length))
    }

    @Test(
        "P-7.1 to P-7.5: thousands of interleaved changes and look-ups agree with the list, and nothing is left over",
        arguments: Spread.allCases, [1, 2, 3] as [UInt64])
    func agrees(spread: Spread, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var table = AllowedIPs()
        var list = List()
        let peers = 20
        for step in 0..<2500 {
            let peer = PeerID(Int.random(in: 0..<peers, using: &random))
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<55:
                let prefix = try prefix(spread, &random)
                table.insert(prefix, peer: peer)
                list.insert(prefix, peer)
            case 55..<80:
                // Mostly one that is there, half of the time with its own peer.
                let known = list.entries.randomElement(using: &random)
                let prefix = try known?.prefix ?? prefix(spread, &random)
                let owner = Bool.random(using: &random) ? known?.peer ?? peer : peer
                let removed = table.remove(prefix, peer: owner)
                let expected = list.remove(prefix, owner)
                #expect(removed == expected, "step \(step)")
            case 80..<98:
                let prefix = try prefix(spread, &random)
                _ = table.remove(prefix, peer: peer)
                _ = list.remove(prefix, peer)
            default:
                table.removeAll(of: peer)
                list.removeAll(peer)
            }
            for _ in 0..<4 {
                // At random, and around the edges of what is there.
                var probe = address(spread, &random)
                if Bool.random(using: &random), let known = list.entries.randomElement(using: &random) {
                    probe = near(known.prefix, &random)
                }
                let found = table.lookup(probe)
                let expected = list.lookup(probe)
                #expect(found == expected, "step \(step): \(probe)")
            }
            let count = table.count
            #expect(count == list.entries.count, "step \(step)")
            if step % 100 == 0 {
                for peer in 0..<peers {
                    let listed = table.prefixes(of: PeerID(peer))
                    #expect(listed == list.prefixes(PeerID(peer)), "step \(step)")
                }
                for entry in list.entries { #expect((table.owner(of: entry.prefix)) == entry.peer) }
            }
            let nodes = table.nodeCount
            #expect(nodes <= max(0, 2 * count), "step \(step): more nodes than prefixes")
        }
        #expect(list.entries.count > 20, "the run kept too few prefixes to mean anything")
        for peer in 0..<peers { table.removeAll(of: PeerID(peer)) }
        #expect((table.nodeCount) == 0)
        #expect((table.lookup(IPAddress(v4: 0))) == .none)
    }

    /// More at once than are looked up together, and a number of them that leaves a remainder.
    @Test(arguments: Spread.allCases, [0, 1, 31, 32, 33, 1000])
    func `addresses that are looked up at once find what each finds alone`(spread: Spread, count: Int) throws {
        var random = SeededGenerator(seed: 4)
        var table = AllowedIPs()
        for index in 0..<300 { table.insert(try prefix(spread, &random), peer: PeerID(index % 50)) }
        let addresses = (0..<count).map { _ in address(spread, &random) }
        var found = [PeerID](repeating: PeerID(99), count: count)
        var peers = found.mutableSpan
        table.lookup(addresses.span, &peers)
        let expected = addresses.map { table.lookup($0) }
        #expect(found == expected)
    }

    /// What was left is used again: as many prefixes, coming and going in whatever order, take no more memory.
    @Test func `memory does not grow while prefixes come and go`() throws {
        var random = SeededGenerator(seed: 5)
        var table = AllowedIPs()
        var prefixes = Set<Prefix>()
        while prefixes.count < 2000 { prefixes.insert(try prefix(.clustered, &random)) }
        for prefix in prefixes { table.insert(prefix, peer: PeerID(0)) }
        let bytes = table.byteCount
        for _ in 0..<20 {
            for prefix in prefixes.shuffled(using: &random) { table.remove(prefix, peer: PeerID(0)) }
            for prefix in prefixes.shuffled(using: &random) { table.insert(prefix, peer: PeerID(0)) }
        }
        let grown = table.byteCount
        #expect(grown <= bytes * 3 / 2, "\(bytes) bytes have become \(grown)")
    }

    /// An address in the prefix, or one bit outside of it.
    private func near(_ prefix: Prefix, _ random: inout SeededGenerator) -> IPAddress {
        let address = prefix.address
        let host = IPAddress(v6High: random.next(), low: random.next())
        let bit = Int.random(in: 0..<128, using: &random)
        let flip = bit < 64 ? (1 << UInt64(63 - bit), 0) : (0, 1 << UInt64(127 - bit)) as (UInt64, UInt64)
        let keep = host.masked(to: prefix.length)
        switch address.family {
        case .v4:
            let bits = address.v4Bits | UInt32(truncatingIfNeeded: (host.high ^ keep.high) >> 32)
            return IPAddress(v4: bits ^ (Bool.random(using: &random) ? UInt32(truncatingIfNeeded: flip.0 >> 32) : 0))
        case .v6:
            let isFlipped = Bool.random(using: &random)
            return IPAddress(
                v6High: (address.high | (host.high ^ keep.high)) ^ (isFlipped ? flip.0 : 0),
                low: (address.low | (host.low ^ keep.low)) ^ (isFlipped ? flip.1 : 0))
        }
    }
}
