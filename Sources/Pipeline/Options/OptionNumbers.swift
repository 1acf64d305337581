extension Int: ScalarOption {
    public static var expected: String { "a whole number" }
    public init(_ scalar: Value.Scalar) throws(OptionError) { self = try WholeNumber.parse(scalar, as: Int.self) }
    public static var shape: OptionShape { .whole(Int.min...Int.max) }
}

extension UInt16: ScalarOption {
    public static var expected: String { WholeNumber.expected(UInt16.self) }
    public init(_ scalar: Value.Scalar) throws(OptionError) { self = try WholeNumber.parse(scalar, as: UInt16.self) }
    public static var shape: OptionShape { .whole(0...Int(UInt16.max)) }
}

extension UInt32: ScalarOption {
    public static var expected: String { WholeNumber.expected(UInt32.self) }
    public init(_ scalar: Value.Scalar) throws(OptionError) { self = try WholeNumber.parse(scalar, as: UInt32.self) }
    public static var shape: OptionShape { .whole(0...Int(UInt32.max)) }
}

/// Integers as the YAML 1.2 core schema writes them (§10.3.2): decimal with a sign, `0o17`, `0xca6c`.
private enum WholeNumber {
    static func expected<T: FixedWidthInteger>(_ type: T.Type) -> String { "a whole number from \(T.min) to \(T.max)" }

    static func parse<T: FixedWidthInteger & ScalarOption>(
        _ scalar: Value.Scalar, as type: T.Type
    ) throws(OptionError) -> T {
        let (digits, radix) = digits(scalar.text)
        let unsigned = digits.first == "-" || digits.first == "+" ? digits.dropFirst() : digits
        guard !unsigned.isEmpty,
            unsigned.allSatisfy({ $0.isASCII && $0.isHexDigit && ($0.hexDigitValue ?? 16) < radix }),
            radix == 10 || unsigned.count == digits.count
        else { throw T.unexpected(scalar) }
        guard scalar.isPlain else { throw T.unexpected(scalar, ": take the quotes away") }
        guard let number = T(digits, radix: radix) else { throw T.unexpected(scalar, ", which is out of range") }
        return number
    }

    private static func digits(_ text: String) -> (Substring, radix: Int) {
        if text.hasPrefix("0x") { return (text.dropFirst(2), 16) }
        if text.hasPrefix("0o") { return (text.dropFirst(2), 8) }
        return (text[...], 10)
    }
}

extension OptionShape {
    /// The shape of a value that has to be in `range` too.
    func narrowed<T: ScalarOption>(to range: ClosedRange<T>) -> OptionShape {
        switch self {
        case .whole:
            guard let lower = Int(range.lowerBound.optionText), let upper = Int(range.upperBound.optionText) else {
                return self
            }
            return .whole(lower...upper)
        case .text(let text):
            let bounds = "\(range.lowerBound.optionText) to \(range.upperBound.optionText)"
            let ends = [range.lowerBound.optionText, range.upperBound.optionText]
            return .text(Text("\(text.expected), from \(bounds)", pattern: text.pattern, examples: ends))
        default: return self
        }
    }
}
