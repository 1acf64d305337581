/// Numbers with a unit, such as `100mbit`, `1.5GB` and `250ms`.
struct Quantity {
    struct Unit: Sendable {
        let name: String
        let size: UInt64
        init(_ name: String, _ size: UInt64) {
            self.name = name
            self.size = size
        }
    }

    /// From small to large; of units that could both write a number, the later one is preferred.
    let units: [Unit]

    /// The number in terms of the unit of size 1, exactly; `T` is asked what to say of anything else.
    func parse<T: ScalarOption>(_ scalar: Value.Scalar, as type: T.Type) throws(OptionError) -> UInt64 {
        let text = scalar.text
        let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        let name = text[number.endIndex...]
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { throw T.unexpected(scalar) }
        guard !name.isEmpty else {
            throw OptionError("bare number \(Quotation.quote(text)) where a unit is due: expected \(T.expected)")
        }
        guard let unit = units.first(where: { $0.name == name }) else {
            throw T.unexpected(scalar, unitHint(number, name))
        }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard let value = exact(parts[0], fraction, unit.size) else {
            throw T.unexpected(
                scalar, fraction.isEmpty ? ", which is too large" : ", which is not a whole number of \(base)")
        }
        return value
    }

    /// The shape of what `parse` takes.
    func shape(_ expected: String, examples: [String]) -> OptionShape {
        let names = units.map(\.name).joined(separator: "|")
        return .text(OptionShape.Text(expected, pattern: "^[0-9]+(\\.[0-9]+)?(\(names))$", examples: examples))
    }

    /// The number in the largest unit that writes it without a fraction.
    func text(_ value: UInt64) -> String {
        let fitting = units.last { value >= $0.size && value % $0.size == 0 }
        let unit = fitting ?? units.first { $0.size == 1 } ?? Unit("", 1)
        return "\(value / unit.size)\(unit.name)"
    }

    private var base: String { units.first { $0.size == 1 }?.name ?? "" }

    private func unitHint(_ number: Substring, _ name: Substring) -> String {
        let trimmed = String(name.drop { $0 == " " })
        let meant = units.first { $0.name.lowercased() == trimmed.lowercased() }
        if let meant { return " (did you mean '\(number)\(meant.name)'?)" }
        return ": the units are \(units.map(\.name).joined(separator: ", "))"
    }

    private func exact(_ whole: Substring, _ fraction: Substring, _ size: UInt64) -> UInt64? {
        guard let units = UInt64(whole) else { return nil }
        let (product, overflow) = units.multipliedReportingOverflow(by: size)
        guard !overflow else { return nil }
        guard !fraction.isEmpty else { return product }
        // Each further digit stands for a tenth, which the unit must be divisible into.
        var (sum, step) = (product, size)
        for digit in fraction.utf8 {
            let value = UInt64(digit - UInt8(ascii: "0"))
            guard step % 10 == 0 || value == 0 else { return nil }
            step /= 10
            let (next, overflow) = sum.addingReportingOverflow(value * step)
            guard !overflow else { return nil }
            sum = next
        }
        return sum
    }
}
