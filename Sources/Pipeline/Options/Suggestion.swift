/// Finds what somebody meant to write.
public enum Suggestion {
    /// How many edits away a word may be: one, or one for every three characters, but not more than this.
    static let maximumDistance = 4

    /// The candidate nearest to `word`; nil when none is near. Of equally near ones, the first.
    public static func nearest(to word: String, among candidates: [String]) -> String? {
        let longest = candidates.map(\.utf8.count).max() ?? 0
        guard word.utf8.count <= longest + maximumDistance else { return nil }
        let word = folded(word)
        let bound = min(maximumDistance, max(1, word.count / 3))
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            guard let distance = distance(word, folded(candidate), bound: bound) else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.name
    }

    /// ` (did you mean 'allowed-ips'?)`, or nothing.
    public static func hint(for word: String, among candidates: [String]) -> String {
        nearest(to: word, among: candidates).map { " (did you mean '\($0)'?)" } ?? ""
    }

    /// Upper and lower case, `_` and `-` are how a word is written, not which one it is.
    private static func folded(_ word: String) -> [UInt8] {
        word.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
            case UInt8(ascii: "_"): UInt8(ascii: "-")
            default: byte
            }
        }
    }

    /// The optimal string alignment distance (insert, delete, replace, swap neighbours); nil above `bound`.
    private static func distance(_ a: [UInt8], _ b: [UInt8], bound: Int) -> Int? {
        guard abs(a.count - b.count) <= bound else { return nil }
        var before: [Int] = []
        var previous = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in b.indices {
                var cost = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            (before, previous) = (previous, row)
        }
        let distance = previous[b.count]
        return distance <= bound ? distance : nil
    }
}
