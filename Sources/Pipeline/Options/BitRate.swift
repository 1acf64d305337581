/// A rate in bits a second. Written with a decimal unit: `800kbit`, `100mbit`, `2.5gbit`.
public struct BitRate: Hashable, Sendable {
    public var bitsPerSecond: UInt64

    public init(bitsPerSecond: UInt64) { self.bitsPerSecond = bitsPerSecond }
}

extension BitRate: Comparable {
    public static func < (a: BitRate, b: BitRate) -> Bool { a.bitsPerSecond < b.bitsPerSecond }
}

extension BitRate: ScalarOption, CustomStringConvertible {
    private static let units = Quantity(units: [
        .init("bit", 1), .init("kbit", 1000), .init("mbit", 1_000_000), .init("gbit", 1_000_000_000),
    ])

    public static var expected: String { "a rate such as 100mbit" }
    public static var shape: OptionShape { units.shape(expected, examples: ["800kbit", "100mbit", "2.5gbit"]) }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        bitsPerSecond = try Self.units.parse(scalar, as: BitRate.self)
    }

    public var description: String { Self.units.text(bitsPerSecond) }
}
