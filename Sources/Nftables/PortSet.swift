/// Ports as ascending ranges that neither overlap nor touch.
package struct PortSet: Hashable, Sendable {
    package let ranges: [ClosedRange<UInt16>]

    package init(_ ranges: some Sequence<ClosedRange<UInt16>>) {
        var merged: [ClosedRange<UInt16>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, Int(range.lowerBound) <= Int(last.upperBound) + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    package init(_ port: UInt16) { ranges = [port...port] }

    package func contains(_ port: UInt16) -> Bool { ranges.contains { $0.contains(port) } }
}
