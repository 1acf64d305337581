/// What an option can be read as. A type says itself what it takes and what is wrong with anything else.
public protocol OptionValue: Sendable {
    /// Reads `value`; what is wrong with it goes to `diagnostics`, and the result is then nil, or what can be used of it.
    static func read(_ value: Value, _ diagnostics: Diagnostics) -> Self?
    /// What may stand there: the reading never takes what this does not allow.
    static var shape: OptionShape { get }
    /// The value as it would stand in a file, when it can be told in one piece of text.
    var defaultText: String? { get }
}

extension OptionValue {
    public var defaultText: String? { nil }
}

/// An option that is one piece of text: a number, an address, a rate.
public protocol ScalarOption: OptionValue {
    /// What is right, to stand after "expected": `a rate such as 100mbit`.
    static var expected: String { get }
    /// The value, or what is wrong with the text: `throw Self.unexpected(scalar)`.
    init(_ scalar: Value.Scalar) throws(OptionError)
    /// The value as it would stand in a file.
    var optionText: String { get }
}

/// What is wrong with a scalar: the whole sentence.
public struct OptionError: Error, Equatable {
    public let message: String
    public init(_ message: String) { self.message = message }
}

extension ScalarOption {
    public static func read(_ value: Value, _ diagnostics: Diagnostics) -> Self? {
        guard case .scalar(let scalar) = value.content else {
            diagnostics.error("expected \(expected), found \(value.found)", at: value.position)
            return nil
        }
        do throws(OptionError) {
            return try Self(scalar)
        } catch {
            diagnostics.error(error.message, at: value.position)
            return nil
        }
    }

    /// `expected true or false, found 'yes'`, and then `hint`.
    public static func unexpected(_ scalar: Value.Scalar, _ hint: String = "") -> OptionError {
        OptionError("expected \(expected), found \(scalar.found)\(hint)")
    }

    public var optionText: String { String(describing: self) }
    public var defaultText: String? { optionText }
    public static var shape: OptionShape { .text(OptionShape.Text(expected)) }
}

/// An option that is one of a few words: the raw values of an enum.
public protocol OptionChoice: ScalarOption, RawRepresentable<String>, CaseIterable {}

extension OptionChoice {
    public static var expected: String {
        let words = allCases.map(\.rawValue)
        return words.count > 1 ? "one of \(words.joined(separator: ", "))" : words.joined()
    }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        guard let choice = Self(rawValue: scalar.text) else {
            let switches = ["true": "on", "false": "off"]
            let meant = switches[scalar.text] ?? scalar.text
            throw Self.unexpected(scalar, Suggestion.hint(for: meant, among: Self.allCases.map(\.rawValue)))
        }
        self = choice
    }

    public var optionText: String { rawValue }
    public static var shape: OptionShape { .words(allCases.map(\.rawValue)) }
}

/// An option that is a mapping with options of its own, as a stage's are.
public protocol OptionRecord: OptionValue, Equatable {
    /// Reads its options by `require` and `optional`; nil when one that it cannot be without is missing or wrong. Who
    /// calls this finishes the reader.
    init?(_ options: inout OptionReader)
}

extension OptionRecord {
    public static func read(_ value: Value, _ diagnostics: Diagnostics) -> Self? {
        guard var options = OptionReader(value, diagnostics) else { return nil }
        let record = Self(&options)
        options.finish()
        return record
    }
}

extension Array: OptionValue where Element: OptionValue {
    public static var shape: OptionShape { .list(Element.shape) }
    public var defaultText: String? { isEmpty ? "[]" : nil }

    /// The elements that can be read; each of the others has its own error.
    public static func read(_ value: Value, _ diagnostics: Diagnostics) -> [Element]? {
        switch value.content {
        case .sequence(let values):
            return values.compactMap { Element.read($0, diagnostics) }
        case .scalar(let scalar):
            diagnostics.error("expected a list, found \(scalar.found): a list stands in [ ]", at: value.position)
            return nil
        case .null, .mapping:
            diagnostics.error("expected a list, found \(value.found)", at: value.position)
            return nil
        }
    }
}
