/// What was given to the tunnel and what came out of it: each packet at most once, and as it was.
final class PacketLedger {
    /// A packet may be under way for as long as it is staged; what is older than so many is not looked for any more.
    private static let bound: UInt64 = 1 << 16

    private var next: UInt64 = 0
    private var delivered: Set<UInt64> = []
    private var forgotten: UInt64 = 0
    private(set) var sent: UInt64 = 0
    private(set) var arrived: UInt64 = 0
    private(set) var twice: [UInt64] = []
    private(set) var altered = 0

    /// A new packet of 16 to 112 bytes, different from all others.
    func make() -> (number: UInt64, bytes: [UInt8]) {
        defer {
            next += 1
            sent += 1
        }
        return (next, Self.bytes(next))
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        let mixed = (number &+ 1) &* 0x9e37_79b9_7f4a_7c15
        let count = 16 + Int(mixed >> 40) % 97
        return (0..<count).map { index in
            index < 8
                ? UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))
                : UInt8(truncatingIfNeeded: mixed >> (8 * UInt64(index % 8))) &+ UInt8(truncatingIfNeeded: index)
        }
    }

    /// Padding is at its end.
    func arrive(_ bytes: [UInt8]) {
        arrived += 1
        guard bytes.count >= 16 else { return altered += 1 }
        let number = (0..<8).reduce(0) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
        let expected = Self.bytes(number)
        guard number < next, bytes.starts(with: expected), bytes.dropFirst(expected.count).allSatisfy({ $0 == 0 })
        else {
            return altered += 1
        }
        guard number >= forgotten, delivered.insert(number).inserted else { return twice.append(number) }
    }

    func hasArrived(_ number: UInt64) -> Bool { delivered.contains(number) }

    /// Gives up what is too old to arrive again: its session is gone.
    func forget() {
        guard next > Self.bound, next - Self.bound > forgotten else { return }
        forgotten = next - Self.bound
        delivered = delivered.filter { $0 >= forgotten }
    }
}
