import Testing
import Wire

@testable import WireGuard

/// TAI64N stamps: their form, their coarseness, and that they grow whatever the clock does (P-2.6, P-2.7).
@Suite struct TimestampTests {
    private static func bytes(_ stamp: TAI64N) -> [UInt8] {
        unsafe withUnsafeTemporaryAllocation(byteCount: 12, alignment: 8) { memory in
            unsafe stamp.store(to: memory.baseAddress.unsafelyUnwrapped)
            return unsafe [UInt8](memory)
        }
    }

    @Test func `P-2.6 seconds from 2⁶² and ten, big-endian`() {
        let table: [(UInt64, UInt32, String)] = [
            (0, 0, "400000000000000a00000000"),
            (1, 16_777_216, "400000000000000b01000000"),
            (1_700_000_000, 999_999_999, "400000006553f10a3b000000"),
        ]
        for (seconds, nanoseconds, expected) in table {
            let stamp = TAI64N(WallTime(seconds: seconds, nanoseconds: nanoseconds))
            #expect(Self.bytes(stamp).hex == expected)
            let again = unsafe Self.bytes(stamp).withUnsafeBytes {
                unsafe TAI64N(at: $0.baseAddress.unsafelyUnwrapped)
            }
            #expect(again == stamp)
        }
    }

    @Test func `P-2.7, S-12 a stamp tells no more than a sixtieth of a second`() {
        for nanoseconds in stride(from: UInt32(0), to: 1_000_000_000, by: 7_654_321) {
            let stamp = TAI64N(WallTime(seconds: 5, nanoseconds: nanoseconds))
            #expect(stamp.nanoseconds & 0xff_ffff == 0)
            #expect(stamp.nanoseconds <= nanoseconds && nanoseconds - stamp.nanoseconds < 1 << 24)
        }
    }

    @Test func `P-2.8 stamps are ordered as their bytes are`() {
        let moments: [(UInt64, UInt32)] = [(0, 0), (0, 1 << 24), (1, 0), (1, 59 << 24), (2, 0), (255, 0), (256, 0)]
        let stamps = moments.map { TAI64N(WallTime(seconds: $0.0, nanoseconds: $0.1)) }
        for a in stamps {
            for b in stamps {
                #expect((a < b) == Self.bytes(a).lexicographicallyPrecedes(Self.bytes(b)))
            }
        }
    }

    @Test func `a clock that stands still or goes back still gives growing stamps`() {
        var previous: TAI64N?
        for step in 0..<300 {
            // Two ticks a second, standing still for a while, then an hour back.
            let seconds = step < 100 ? UInt64(step / 2) + 10_000 : step < 200 ? 10_050 : 6_450
            let stamp = TAI64N(WallTime(seconds: seconds, nanoseconds: 0)).after(previous)
            if let previous {
                #expect(previous < stamp)
                #expect(stamp.nanoseconds < 1_000_000_000 && stamp.nanoseconds & 0xff_ffff == 0)
            }
            previous = stamp
        }
    }

    @Test func `P-9.5 a wall clock set back by a year does not stop the handshakes`() {
        let pair = Pair()
        pair.connect()
        pair.link.clock.setWall(WallTime(seconds: 1_668_000_000, nanoseconds: 0))
        pair.link.every(.seconds(1), times: 400) { pair.aliceSends(Pair.packet($0)) }
        pair.link.run(.seconds(401))
        #expect(pair.bob.delivered.count == 401)
        #expect(pair.bob.rejections.isEmpty)
        #expect(pair.alice.notes.count == 4)
    }
}
