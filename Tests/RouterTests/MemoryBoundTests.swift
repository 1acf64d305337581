import Foundation
import PacketPath
import Pipeline
import Support
import TUN
import Testing
import UDP
import Wire

/// Memory that stands still, and batches that overflow.
@Suite struct MemoryBoundTests {
    @Test func aWarmPathAllocatesNoBuffersOverAHundredThousandPackets() throws {
        let pair = try GoldenPathTests.Pair()
        let plain = Frames.packet(isTCP: true, payload: 60_000)
        let (packet, header) = Frames.superPacket(plain, size: 1360)
        func burst() {
            pair.a.tun.inject(packet, header: header)
            for number in 0..<20 { pair.a.tun.inject(Frames.packet(payload: 8 + 7 * number).bytes) }
            for number in 0..<5 { pair.b.tun.inject(Frames.packet(2, 1, mark: number).bytes) }
            pair.world.run(.milliseconds(5))
            _ = (pair.a.tun.takeWritten(), pair.b.tun.takeWritten())
            pair.sealed.forget()
            pair.opened.forget()
        }
        for _ in 0..<5 { burst() }
        let before = (pair.a.pools + pair.b.pools).map(\.allocations)
        for _ in 0..<1450 { burst() }
        #expect(pair.b.counter("tun", "packets-written") > 94_000)
        #expect(pair.b.counter("tun", "packets-written") + pair.a.counter("tun", "packets-written") > 100_000)
        #expect((pair.a.pools + pair.b.pools).map(\.allocations) == before)
    }

    @Test func handingPacketsOverAllocatesNoBuffersOnceItIsWarm() throws {
        let a = try GoldenPathTests.Pair(
            aFile: GoldenPathTests.aFile.replacingOccurrences(of: "workers: 1", with: "workers: 2"))
        func burst() {
            // b is worker 0's.
            for number in 0..<40 { a.a.tuns[0][1].inject(Frames.packet(mark: number).bytes) }
            a.a.host.steer = { _ in 1 }
            for number in 0..<40 { a.b.tun.inject(Frames.packet(2, 1, mark: number).bytes) }
            a.world.run(.milliseconds(5))
            #expect(a.a.takeDelivered().joined().count == 40)
            #expect(a.b.takeDelivered().joined().count == 40)
        }
        for _ in 0..<60 { burst() }
        let before = a.a.pools.map(\.allocations)
        for _ in 0..<200 { burst() }
        #expect(a.a.pools.map(\.allocations) == before)
    }

    /// 64 KB in pieces of 48 bytes, and of 8, the least that Linux makes (TCP_MIN_SND_MSS less all options).
    @Test(arguments: [(48, 12), (8, 8)]) func superPacketsOfTinySegmentsOverflowTheBatchAndLoseNothing(
        size: Int, count: Int
    ) throws {
        let pair = try GoldenPathTests.Pair()
        var counters: [UInt64] = []
        pair.world.network.interfere = { datagram in
            guard datagram.bytes[0] == 4, datagram.bytes.count > 32 else { return .deliver }
            counters.append(datagram.bytes[8..<16].reversed().reduce(0) { $0 << 8 | UInt64($1) })
            return .lose
        }
        let plain = Frames.packet(isTCP: true, payload: 65_400)
        let (packet, header) = Frames.superPacket(plain, size: size)
        for _ in 0..<count { pair.a.tun.inject(packet, header: header) }
        pair.world.run(.milliseconds(1))
        let segments = UInt64(count * ((65_400 + size - 1) / size))
        #expect(pair.a.counter("wireguard", "packets-sealed") == segments + 1)
        #expect(pair.a.counter("wireguard", "packets-staged") == 0)
        #expect(pair.a.report("wireguard").drops.allSatisfy { $0.value == 0 })
        #expect(counters == Array(1...segments), "all of them, in order")
    }

    @Test func anInboundBatchIsNeverFullerThanItHolds() throws {
        let pair = try GoldenPathTests.Pair()
        for number in 0..<1500 { pair.a.tun.inject(Frames.packet(mark: number).bytes) }
        pair.b.asleep = [0]
        pair.world.run(.milliseconds(50))
        pair.b.asleep = []
        pair.world.run(.milliseconds(50))
        #expect(pair.b.takeDelivered().joined().map { Frames.mark(of: $0) } == Array(0..<1500))
        #expect(pair.b.counter("wireguard", "batch-full") == 0)
    }
}
