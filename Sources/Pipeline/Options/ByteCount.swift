/// A number of bytes. Written with a decimal or a binary unit: `1500B`, `64kB`, `10GB`, `256KiB`.
package struct ByteCount: Hashable, Sendable {
    package var bytes: UInt64

    package init(_ bytes: UInt64) { self.bytes = bytes }
}

extension ByteCount: Comparable {
    package static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }
}

extension ByteCount: ScalarOption, CustomStringConvertible {
    private static let units = Quantity(units: [
        .init("B", 1), .init("KiB", 1 << 10), .init("MiB", 1 << 20), .init("GiB", 1 << 30),
        .init("kB", 1000), .init("MB", 1_000_000), .init("GB", 1_000_000_000),
    ])

    package static var expected: String { "a size such as 64kB" }
    package static var shape: OptionShape { units.shape(expected, examples: ["1500B", "64kB", "256KiB"]) }

    package init(_ scalar: Value.Scalar) throws(OptionError) {
        bytes = try Self.units.parse(scalar, as: ByteCount.self)
    }

    package var description: String { Self.units.text(bytes) }
}
