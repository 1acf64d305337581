import Pipeline

/// A stage's counters at a moment, or how far each has moved between two; those at 0 are left out.
struct Snapshot: Equatable {
    var counters: [String: Int]
    var drops: [String: Int]

    init(counters: [String: Int], drops: [String: Int]) {
        self.counters = counters.filter { $0.value != 0 }
        self.drops = drops.filter { $0.value != 0 }
    }

    init(_ report: StageReport) {
        func table(_ counts: [StageReport.Count]) -> [String: Int] {
            Dictionary(counts.map { ($0.name, Int($0.value)) }) { $0 + $1 }
        }
        self.init(counters: table(report.counters), drops: table(report.drops))
    }

    func moved(since earlier: Snapshot) -> Snapshot {
        Snapshot(
            counters: counters.merging(earlier.counters.mapValues { -$0 }) { $0 + $1 },
            drops: drops.merging(earlier.drops.mapValues { -$0 }) { $0 + $1 })
    }

    /// nil when it is as it should be.
    func complaint(_ expected: Snapshot) -> String? {
        self == expected ? nil : "counters moved by \(text), expected was \(expected.text)"
    }

    private var text: String {
        let counts = counters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let dropped = drops.sorted { $0.key < $1.key }.map { "dropped \($0.key) \($0.value)" }
        return counts.isEmpty && dropped.isEmpty ? "nothing" : (counts + dropped).joined(separator: ", ")
    }
}
