import Support
import Wire

/// Prefixes as networks have them, each once, half of either family: by far the most are a site's or a host's.
struct RandomPrefixes {
    private var random: SeededGenerator
    private var seen: Set<Prefix> = []

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func take(_ count: Int) -> [Prefix] {
        var prefixes: [Prefix] = []
        prefixes.reserveCapacity(count)
        while prefixes.count < count {
            guard let prefix = prefixes.count.isMultiple(of: 2) ? v4() : v6(), seen.insert(prefix).inserted else {
                continue
            }
            prefixes.append(prefix)
        }
        return prefixes
    }

    private mutating func v4() -> Prefix? {
        let length = [32, 32, 32, 24, 24, 24, 24, 22, 20, 16].randomElement(using: &random) ?? 24
        return Prefix(IPAddress(v4: UInt32(truncatingIfNeeded: random.next())), length: length)
    }

    /// Anywhere in 2000::/3.
    private mutating func v6() -> Prefix? {
        let length = [128, 64, 64, 64, 64, 64, 56, 56, 48, 32].randomElement(using: &random) ?? 64
        return Prefix(IPAddress(v6High: 1 << 61 | random.next() >> 3, low: random.next()), length: length)
    }

    /// An address in each of `prefixes`, in no order.
    mutating func addresses(in prefixes: [Prefix], count: Int) -> [IPAddress] {
        (0..<count).compactMap { _ in prefixes.randomElement(using: &random).map { host(in: $0) } }
    }

    private mutating func host(in prefix: Prefix) -> IPAddress {
        let (network, length) = (prefix.address, prefix.length)
        switch prefix.family {
        case .v4:
            let host = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
            return IPAddress(v4: network.v4Bits | (host.v4Bits ^ host.masked(to: length).v4Bits))
        case .v6:
            let host = IPAddress(v6High: random.next(), low: random.next())
            let kept = host.masked(to: length)
            return IPAddress(v6High: network.high | (host.high ^ kept.high), low: network.low | (host.low ^ kept.low))
        }
    }
}
