import Wire

/// Written with a unit: `250ms`, `60s`, `5m`.
extension Interval: ScalarOption {
    private static let units = Quantity(units: [
        .init("ns", 1), .init("us", 1000), .init("ms", 1_000_000), .init("s", 1_000_000_000),
        .init("m", 60_000_000_000), .init("h", 3_600_000_000_000), .init("d", 86_400_000_000_000),
    ])

    public static var expected: String { "a length of time such as 60s" }
    public static var shape: OptionShape { units.shape(expected, examples: ["250ms", "60s", "5m"]) }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        self.init(nanoseconds: try Self.units.parse(scalar, as: Interval.self))
    }

    public var optionText: String { Self.units.text(nanoseconds) }
}
