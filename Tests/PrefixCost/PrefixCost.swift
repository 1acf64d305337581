import AllowedIPs
import Glibc
import Wire

/// What a table of allowed IPs takes. Written for etc/bench scale:
///
///     prefix-cost                     a line of JSON for each count from 10 to a million: CPU time and memory
///     prefix-cost WHAT COUNT ROUNDS   WHAT is none, lookup or change: that many times, for callgrind to count
@main struct PrefixCost {
    /// Of the runs that take turns, the median counts.
    private static let runs = 7
    private static let lookups = 1 << 17

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let what = arguments.first else { return measure() }
        let numbers = arguments.dropFirst().compactMap { Int($0) }
        guard numbers.count == 2 else { return }
        count(what, numbers[0], numbers[1])
    }

    private static func measure() {
        var count = 10
        while count <= 1_000_000 {
            let cost = Cost(of: count, runs: runs, lookups: lookups)
            print(
                #"{"prefixes":\#(count),"lookup-ns":\#(cost.lookup),"insert-ns":\#(cost.insert),"#
                    + #""remove-ns":\#(cost.remove),"bytes":\#(cost.bytes)}"#)
            count *= 10
        }
    }

    private static func count(_ what: String, _ count: Int, _ rounds: Int) {
        var random = RandomPrefixes(seed: 1)
        let prefixes = random.take(count)
        let addresses = random.addresses(in: prefixes, count: rounds)
        let more = random.take(rounds)
        var table = AllowedIPs()
        for (index, prefix) in prefixes.enumerated() { table.insert(prefix, peer: PeerID(index / 2)) }
        switch what {
        case "lookup": _ = Cost.lookUp(addresses, in: table)
        case "change":
            for (index, prefix) in more.enumerated() { table.insert(prefix, peer: PeerID(index / 2)) }
            for (index, prefix) in more.enumerated() { table.remove(prefix, peer: PeerID(index / 2)) }
        default: break
        }
    }
}
