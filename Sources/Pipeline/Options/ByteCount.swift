/// A number of bytes. Written with a decimal or a binary unit: `1500B`, `64kB`, `10GB`, `256KiB`.
public struct ByteCount: Hashable, Sendable {
    public var bytes: UInt64

    public init(_ bytes: UInt64) { self.bytes = bytes }
}

extension ByteCount: Comparable {
    public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
}

extension ByteCount: ScalarOption, CustomStringConvertible {
    private static let units = Quantity(units: [
        .init("B", 1), .init("KiB", 1 << 10), .init("MiB", 1 << 20), .init("GiB", 1 << 30),
        .init("kB", 1000), .init("MB", 1_000_000), .init("GB", 1_000_000_000),
    ])

    public static var expected: String { "a size such as 64kB" }
    public static var shape: OptionShape { units.shape(expected, examples: ["1500B", "64kB", "256KiB"]) }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        bytes = try Self.units.parse(scalar, as: ByteCount.self)
    }

    public var description: String { Self.units.text(bytes) }
}
