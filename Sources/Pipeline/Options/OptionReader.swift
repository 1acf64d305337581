/// Reads a mapping key by key: `require` and `optional` ask for the keys there may be, `finish` complains of the others.
///
///     let down = options.require("down", as: BitRate.self)
///     let burst = options.optional("burst", default: ByteCount(64_000), help: "the most that goes at once")
///
/// A record asks for all of its keys before it gives up because one is missing: what it asks for when there is nothing is
/// what it declares (`OptionRecorder`). Nothing is thrown: what is wrong is recorded, the answer is nil or the default, and the load fails in the end.
public struct OptionReader {
    /// Where the mapping stands.
    public let position: SourcePosition
    public let diagnostics: Diagnostics
    private let mapping: Value.Mapping
    /// Whose options these are, in messages: `peer 'berlin'`. Worked out for a message only.
    private let owner: () -> String
    /// The keys asked for, in order.
    private var known: [String] = []
    /// Keys that mean something, but not here: near enough to be suggested.
    private var refused: [String] = []
    /// Whether every key of the mapping is known, because they are names.
    private var takesAllKeys = false
    private var recorder: OptionRecorder?

    public init(
        _ mapping: Value.Mapping, at position: SourcePosition, of owner: @autoclosure @escaping () -> String,
        _ diagnostics: Diagnostics
    ) {
        self.mapping = mapping
        self.position = position
        self.owner = owner
        self.diagnostics = diagnostics
    }

    /// nil, and an error, when `value` is not a mapping.
    public init?(
        _ value: Value, of owner: @autoclosure @escaping () -> String = "this mapping", _ diagnostics: Diagnostics
    ) {
        guard case .mapping(let mapping) = value.content else {
            diagnostics.error("expected a mapping, found \(value.found)", at: value.position)
            return nil
        }
        self.init(mapping, at: value.position, of: owner(), diagnostics)
    }

    /// A reader of nothing that has `recorder` note what it is asked for.
    init(_ recorder: OptionRecorder) {
        self.init(Value.Mapping([]), at: .start, of: "", Diagnostics())
        self.recorder = recorder
    }

    /// The value of `key`; a missing one is an error, in the words of `missing` where it has some.
    ///
    /// `help` says what the key does, for `fullbore stages` and the schema: the end of a sentence that starts with the
    /// key. `shape` is what may stand there, where the type alone does not say it.
    public mutating func require<T: OptionValue>(
        _ key: String, as type: T.Type = T.self, help: String = "", missing: String? = nil,
        shape: @autoclosure () -> OptionShape = T.shape
    ) -> T? {
        recorder?.note(OptionKey(name: key, shape: shape(), isRequired: true, fallback: nil, help: help))
        guard let value = find(key) else {
            if mapping[key] == nil { diagnostics.error(missing ?? "'\(key)' is missing in \(owner())", at: position) }
            return nil
        }
        return T.read(value, diagnostics)
    }

    /// The value of `key`, nil when it is missing.
    public mutating func optional<T: OptionValue>(
        _ key: String, as type: T.Type = T.self, help: String = "", shape: @autoclosure () -> OptionShape = T.shape
    ) -> T? {
        recorder?.note(OptionKey(name: key, shape: shape(), isRequired: false, fallback: nil, help: help))
        return find(key).flatMap { T.read($0, diagnostics) }
    }

    /// The value of `key`, `fallback` when it is missing.
    public mutating func optional<T: OptionValue>(_ key: String, default fallback: T, help: String = "") -> T {
        recorder?.note(
            OptionKey(name: key, shape: T.shape, isRequired: false, fallback: fallback.defaultText, help: help))
        return optional(key, as: T.self) ?? fallback
    }

    /// As `require`, and a value outside of `range` is an error.
    public mutating func require<T: ScalarOption & Comparable>(
        _ key: String, as type: T.Type = T.self, in range: ClosedRange<T>, help: String = ""
    ) -> T? {
        let value = require(key, as: T.self, help: help, shape: T.shape.narrowed(to: range))
        return value.flatMap { check($0, of: key, in: range) }
    }

    /// As `optional`, and a value outside of `range` is an error.
    public mutating func optional<T: ScalarOption & Comparable>(
        _ key: String, as type: T.Type = T.self, in range: ClosedRange<T>, help: String = ""
    ) -> T? {
        let value = optional(key, as: T.self, help: help, shape: T.shape.narrowed(to: range))
        return value.flatMap { check($0, of: key, in: range) }
    }

    /// As `optional` with a default, and a value outside of `range` is an error.
    public mutating func optional<T: ScalarOption & Comparable>(
        _ key: String, default fallback: T, in range: ClosedRange<T>, help: String = ""
    ) -> T {
        recorder?.note(
            OptionKey(
                name: key, shape: T.shape.narrowed(to: range), isRequired: false, fallback: fallback.defaultText,
                help: help))
        return optional(key, as: T.self, in: range) ?? fallback
    }

    private func check<T: ScalarOption & Comparable>(_ value: T, of key: String, in range: ClosedRange<T>) -> T? {
        if range.contains(value) { return value }
        let bounds = "\(range.lowerBound.optionText) to \(range.upperBound.optionText)"
        diagnostics.error("\(value.optionText) is out of range: expected \(bounds)", at: position(of: key))
        return nil
    }

    /// What stands under `key`, as it was written, for what has no type of its own; nil when it is missing.
    public mutating func value(_ key: String, help: String = "", shape: @autoclosure () -> OptionShape) -> Value? {
        recorder?.note(OptionKey(name: key, shape: shape(), isRequired: false, fallback: nil, help: help))
        return find(key)
    }

    /// A key without a value is an error, and nil as if it was missing.
    private mutating func find(_ key: String) -> Value? {
        known.append(key)
        guard let entry = mapping[key] else { return nil }
        guard entry.value.content != .null else {
            diagnostics.error("'\(key)' has no value: give it one, or leave it out", at: entry.key.position)
            return nil
        }
        return entry.value
    }

    /// Every key with its value, in the order of the file, for a mapping whose keys are names; all of them become known.
    public mutating func entries() -> [Value.Mapping.Entry] {
        takesAllKeys = true
        return mapping.entries
    }

    /// Makes a key that means something, but not here or not yet, an error that says so instead of "unknown". A key that
    /// was asked for before is not refused.
    public mutating func refuse(_ key: String, _ message: @autoclosure () -> String) {
        refused.append(key)
        guard let entry = mapping[key], !known.contains(key) else { return }
        diagnostics.error(message(), at: entry.key.position)
    }

    /// Records an error about the value of `key`, or about the mapping where there is none.
    public func error(_ message: String, at key: String) {
        diagnostics.error(message, at: position(of: key))
    }

    /// Where the value of `key` stands; the mapping itself where there is none.
    public func position(of key: String) -> SourcePosition { mapping[key]?.value.position ?? position }

    public func has(_ key: String) -> Bool { mapping[key] != nil }

    /// How many elements the list has that stands under `key`, those that could not be read included; 0 where there is none.
    public func length(of key: String) -> Int {
        guard case .sequence(let values) = mapping[key]?.value.content else { return 0 }
        return values.count
    }

    /// Reports every key that was not asked for.
    public mutating func finish() {
        guard !takesAllKeys else { return }
        for entry in mapping.entries where !known.contains(entry.key.value) && !refused.contains(entry.key.value) {
            diagnostics.error(unknown(entry.key.value), at: entry.key.position)
        }
    }

    private func unknown(_ key: String) -> String {
        let suggestion = Suggestion.hint(for: key, among: known + refused)
        let names = known.isEmpty ? ": there are no keys here" : ": known here are \(known.joined(separator: ", "))"
        return "unknown key \(Quotation.quote(key))\(suggestion.isEmpty ? names : suggestion)"
    }
}
