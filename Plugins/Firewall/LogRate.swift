import Pipeline

/// How often the kernel's log is told of a rule: `5/minute`.
package struct LogRate: ScalarOption, Hashable {
    package enum Unit: String, Sendable, CaseIterable { case second, minute, hour, day }

    /// Above it the log is the attack.
    private static let maximumCount: UInt64 = 10_000

    package let count: UInt64
    package let unit: Unit

    package static var expected: String { "a rate such as 5/minute" }

    package init(_ scalar: Value.Scalar) throws(OptionError) {
        let parts = scalar.text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].allSatisfy({ ("0"..."9").contains($0) }), let count = UInt64(parts[0]) else {
            throw Self.unexpected(scalar)
        }
        guard let unit = Unit(rawValue: String(parts[1])) else {
            let units = Unit.allCases.map(\.rawValue)
            let hint = Suggestion.hint(for: String(parts[1]), among: units)
            throw Self.unexpected(scalar, hint.isEmpty ? ": the units are \(units.joined(separator: ", "))" : hint)
        }
        guard (1...Self.maximumCount).contains(count) else {
            throw Self.unexpected(scalar, ": that is from 1 to \(Self.maximumCount)")
        }
        (self.count, self.unit) = (count, unit)
    }

    package var optionText: String { "\(count)/\(unit.rawValue)" }
}
