/// A value and where it stands in the file, for what is found out about it after reading.
public struct Located<Wrapped> {
    public var value: Wrapped
    public let position: SourcePosition

    public init(_ value: Wrapped, at position: SourcePosition) {
        self.value = value
        self.position = position
    }
}

extension Located: Sendable where Wrapped: Sendable {}

extension Located: Equatable where Wrapped: Equatable {
    /// True when the values are equal, wherever they stand: a line that has moved is not a change.
    public static func == (a: Located, b: Located) -> Bool { a.value == b.value }
}

extension Located: OptionValue where Wrapped: OptionValue {
    public static var shape: OptionShape { Wrapped.shape }
    public var defaultText: String? { value.defaultText }

    public static func read(_ value: Value, _ diagnostics: Diagnostics) -> Located? {
        Wrapped.read(value, diagnostics).map { Located($0, at: value.position) }
    }
}
