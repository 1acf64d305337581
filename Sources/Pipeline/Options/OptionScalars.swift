import Wire

extension Bool: ScalarOption {
    public static var expected: String { "true or false" }
    public static var shape: OptionShape { .truth }

    /// The words of the YAML 1.2 core schema (§10.3.2); `yes` and `on` are text.
    public init(_ scalar: Value.Scalar) throws(OptionError) {
        guard scalar.isPlain else { throw Self.unexpected(scalar, ": take the quotes away") }
        switch scalar.text {
        case "true", "True", "TRUE": self = true
        case "false", "False", "FALSE": self = false
        default:
            switch scalar.text.lowercased() {
            case "yes", "on", "y": throw Self.unexpected(scalar, " (did you mean 'true'?)")
            case "no", "off", "n": throw Self.unexpected(scalar, " (did you mean 'false'?)")
            default: throw Self.unexpected(scalar, Suggestion.hint(for: scalar.text, among: ["true", "false"]))
            }
        }
    }
}

extension String: ScalarOption {
    public static var expected: String { "text" }
    /// Any text, plain or quoted.
    public init(_ scalar: Value.Scalar) throws(OptionError) { self = scalar.text }
    public var optionText: String { self }
}

extension IPAddress: ScalarOption {
    public static var expected: String { "an address such as 10.0.0.1 or fd00::1" }
    public static var shape: OptionShape {
        .text(OptionShape.Text(expected, pattern: "^[0-9A-Fa-f.:]+$", examples: ["10.0.0.1", "fd00::1"]))
    }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        guard let address = IPAddress(scalar.text) else { throw Self.unexpected(scalar) }
        self = address
    }
}

extension Prefix: ScalarOption {
    public static var expected: String { "a prefix such as 10.0.0.0/24 or fd00::/64" }
    public static var shape: OptionShape {
        .text(
            OptionShape.Text(
                expected, pattern: "^[0-9A-Fa-f.:]+(/[0-9]+)?$",
                examples: ["10.0.0.0/24", "10.1.0.0/24", "fd00::/64", "fd01::/64"]))
    }

    /// Host bits are cleared (P-7.2); a bare address stands for itself alone.
    public init(_ scalar: Value.Scalar) throws(OptionError) {
        guard let prefix = Prefix(scalar.text) else { throw Self.unexpected(scalar, Self.lengthHint(scalar.text)) }
        self = prefix
    }

    /// Says that it is the length that is wrong when the address is right.
    public static func lengthHint(_ text: String) -> String {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]) else { return "" }
        return ": the length is a number from 0 to \(address.family.bitWidth)"
    }
}
