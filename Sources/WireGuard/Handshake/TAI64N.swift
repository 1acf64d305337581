import Wire

/// The time stamp of an initiation: 12 bytes, compared as bytes and never as a date (P-2.6).
package struct TAI64N: Comparable, Sendable {
    package static let byteCount = 12
    /// Seconds of TAI64 at the start of 1970: 2⁶² and the ten leap seconds of then.
    private static let epoch: UInt64 = 0x4000_0000_0000_000a
    /// Nanoseconds are rounded down to a multiple of 2²⁴, about 1/60 s, so that a stamp tells an observer little about
    /// the sender's clock (P-2.7).
    static let whitening: UInt32 = 1 << 24

    package let seconds: UInt64
    package let nanoseconds: UInt32

    package init(_ time: WallTime) {
        seconds = Self.epoch &+ time.seconds
        nanoseconds = time.nanoseconds & ~(Self.whitening - 1)
    }

    package init(at bytes: UnsafeRawPointer) {
        seconds = UInt64(bigEndian: unsafe bytes.loadUnaligned(as: UInt64.self))
        nanoseconds = UInt32(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    }

    /// Any stamp, as it was once received.
    package init(seconds: UInt64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package func store(to bytes: UnsafeMutableRawPointer) {
        unsafe bytes.storeBytes(of: seconds.bigEndian, as: UInt64.self)
        unsafe bytes.storeBytes(of: nanoseconds.bigEndian, toByteOffset: 8, as: UInt32.self)
    }

    /// This stamp, or the smallest one later than `previous` where the clock has stood still or gone back: a responder
    /// takes only growing stamps.
    package func after(_ previous: TAI64N?) -> TAI64N {
        guard let previous, self <= previous else { return self }
        let (nanoseconds, overflow) = previous.nanoseconds.addingReportingOverflow(Self.whitening)
        return !overflow && nanoseconds < 1_000_000_000
            ? TAI64N(seconds: previous.seconds, nanoseconds: nanoseconds)
            : TAI64N(seconds: previous.seconds &+ 1, nanoseconds: 0)
    }

    /// The order of the twelve bytes.
    package static func < (a: TAI64N, b: TAI64N) -> Bool {
        a.seconds == b.seconds ? a.nanoseconds < b.nanoseconds : a.seconds < b.seconds
    }
}
