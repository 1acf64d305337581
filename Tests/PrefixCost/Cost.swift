import AllowedIPs
import Glibc
import Wire

/// What a table of so many prefixes takes: nanoseconds of CPU time for each, and bytes a prefix.
struct Cost {
    let lookup: Double
    let insert: Double
    let remove: Double
    let bytes: Double

    init(of count: Int, runs: Int, lookups: Int) {
        var random = RandomPrefixes(seed: 1)
        let prefixes = random.take(count)
        let addresses = random.addresses(in: prefixes, count: lookups)
        var taken = (lookup: [Double](), insert: [Double](), remove: [Double](), bytes: [Double]())
        // A small table is filled often enough for the clock to see it.
        let fillings = max(1, 10_000 / count)
        for _ in 0..<runs {
            var (insert, remove) = (0.0, 0.0)
            for filling in 1...fillings {
                var table = AllowedIPs()
                insert += Self.nanoseconds {
                    for (index, prefix) in prefixes.enumerated() { table.insert(prefix, peer: PeerID(index / 2)) }
                }
                if filling == fillings {
                    taken.bytes.append(Double(table.byteCount) / Double(count))
                    precondition(Self.lookUp(addresses, in: table) == lookups, "an address is in its prefix")
                    taken.lookup.append(Self.nanoseconds { _ = Self.lookUp(addresses, in: table) } / Double(lookups))
                }
                remove += Self.nanoseconds {
                    for (index, prefix) in prefixes.enumerated() { table.remove(prefix, peer: PeerID(index / 2)) }
                }
            }
            taken.insert.append(insert / Double(count * fillings))
            taken.remove.append(remove / Double(count * fillings))
        }
        lookup = Self.median(taken.lookup)
        insert = Self.median(taken.insert)
        remove = Self.median(taken.remove)
        bytes = Self.median(taken.bytes)
    }

    /// How many of them have an owner. A batch of packets is looked up at once.
    @inline(never) static func lookUp(_ addresses: [IPAddress], in table: borrowing AllowedIPs) -> Int {
        var found = 0
        var peers = [PeerID](repeating: .none, count: batch)
        for start in stride(from: 0, to: addresses.count, by: batch) {
            let addresses = addresses.span.extracting(start..<min(start + batch, addresses.count))
            var span = peers.mutableSpan
            table.lookup(addresses, &span)
            for index in addresses.indices where peers[index] != .none { found += 1 }
        }
        return found
    }

    private static let batch = 64

    /// In tenths.
    private static func median(_ values: [Double]) -> Double {
        (values.sorted()[values.count / 2] * 10).rounded() / 10
    }

    /// CPU time of this thread.
    private static func nanoseconds(_ body: () -> Void) -> Double {
        func now() -> Double {
            var time = timespec()
            unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
        }
        let start = now()
        body()
        return now() - start
    }
}
