import Pipeline

/// What becomes of a packet's DSCP.
package enum Marking: Equatable, Sendable {
    case keep
    /// To this code point, 0 to 63.
    case set(UInt8)
}

extension Marking: ScalarOption {
    package static var expected: String { "keep, clear, a number from 0 to 63, or a name such as ef, af41 or cs6" }

    package static var shape: OptionShape { .either([.words(words), .whole(0...63)], expected: expected) }
    private static let words = ["keep", "clear"] + names.keys.sorted()

    package init(_ scalar: Value.Scalar) throws(OptionError) {
        if scalar.text == "keep" {
            self = .keep
        } else if scalar.text == "clear" {
            self = .set(0)
        } else if let code = Self.names[scalar.text] {
            self = .set(code)
        } else if let number = try? UInt16(scalar), number < 64 {
            self = .set(UInt8(number))
        } else {
            throw Self.unexpected(scalar, Suggestion.hint(for: scalar.text, among: Self.words))
        }
    }

    package var optionText: String {
        switch self {
        case .keep: "keep"
        case .set(let code): Self.names.filter { $0.value == code }.keys.min() ?? String(code)
        }
    }

    /// RFC 2474 §4.2.2 (cs), RFC 2597 §6 (af), RFC 3246 (ef), RFC 8622 (le).
    static let names: [String: UInt8] = {
        var names: [String: UInt8] = ["ef": 46, "le": 1]
        for selector in UInt8(0)...7 { names["cs\(selector)"] = selector << 3 }
        for kind in UInt8(1)...4 {
            for precedence in UInt8(1)...3 { names["af\(kind)\(precedence)"] = kind << 3 | precedence << 1 }
        }
        return names
    }()
}
