import Pipeline
import Support
import Testing
import Wire

@testable import RateLimit

@Suite struct FlowQueueTests {
    private final class Scene {
        let pool = BufferPool()
        var store = PacketStore()
        var queue = FlowQueue()
        var tally: Tally
        var now = Instant(nanoseconds: 0)

        init() { tally = Tally(pool) }

        func append(_ flow: Int, bytes: Int, mark: Int = 0, trafficClass: UInt8 = 0) {
            let packet = Packets.packet(
                Packets.udp(flow: flow, bytes: bytes, mark: mark, trafficClass: trafficClass), to: 0, pool)
            queue.append(packet, UInt64(flow), wholeBytes: 1, now, &store, &tally)
        }

        func next() -> [UInt8]? {
            guard let packet = queue.next(.standard, wholeBytes: 1, now, &store, &tally) else { return nil }
            let bytes = Packets.bytes(of: packet)
            pool.recycle(packet)
            return bytes
        }

        func drop(_ reason: RateLimitDrop) -> UInt64 { tally.drops[reason] }
    }

    @Test func `flows share by bytes, not by packets`() {
        let scene = Scene()
        for mark in 0..<900 {
            scene.append(1, bytes: 1400, mark: mark)
            scene.append(2, bytes: 700, mark: mark)
            scene.append(3, bytes: 100, mark: mark)
        }
        var bytes = [1: 0, 2: 0, 3: 0]
        for _ in 0..<900 {
            guard let packet = scene.next() else { break }
            bytes[Packets.flow(packet), default: 0] += packet.count
        }
        let amounts = bytes.values.sorted()
        // Within a quantum and a packet.
        #expect(amounts[2] - amounts[0] <= 1514 + 1400, "\(bytes)")
        #expect(amounts[0] > 70_000)
    }

    @Test func `the order within each flow holds, and each packet comes once`() {
        var random = SeededGenerator(seed: 3)
        let scene = Scene()
        var sent: [Int: Int] = [:]
        var received: [Int: Int] = [:]
        for _ in 0..<5000 {
            if scene.queue.count < 100, Bool.random(using: &random) {
                let flow = Int.random(in: 0..<20, using: &random)
                scene.append(flow, bytes: Int.random(in: 40...1500, using: &random), mark: sent[flow, default: 0])
                sent[flow, default: 0] += 1
            } else if let packet = scene.next() {
                let flow = Packets.flow(packet)
                #expect(Packets.mark(packet) == received[flow, default: 0])
                received[flow, default: 0] += 1
            }
        }
        while let packet = scene.next() { received[Packets.flow(packet), default: 0] += 1 }
        #expect(received == sent)
        #expect(scene.store.count == 0)
        #expect(scene.store.memory == 0 && scene.queue.memory == 0 && scene.queue.count == 0)
    }

    @Test func `a flow that had nothing waiting goes first, once`() {
        let scene = Scene()
        for mark in 0..<50 { scene.append(1, bytes: 1400, mark: mark) }
        for _ in 0..<5 { _ = scene.next() }
        scene.append(2, bytes: 100, mark: 7)
        #expect(scene.next().map { Packets.flow($0) } == 2)
        // It comes back at once, and is an old flow by then.
        scene.append(2, bytes: 100, mark: 8)
        let next = (0..<3).compactMap { _ in scene.next() }.map { Packets.flow($0) }
        #expect(next.contains(1))
    }

    @Test func `too many packets are taken from the longest flow, from its head`() {
        let scene = Scene()
        for mark in 0..<10 { scene.append(1, bytes: 100, mark: mark) }
        for mark in 0..<300 { scene.append(2, bytes: 1000, mark: mark) }
        scene.queue.shorten(&scene.store, &scene.tally, .queueFull)
        #expect(scene.drop(.queueFull) == 64)
        #expect(scene.queue.count == 246)
        var marks: [Int: [Int]] = [:]
        while let packet = scene.next() { marks[Packets.flow(packet), default: []].append(Packets.mark(packet)) }
        #expect(marks[1] == Array(0..<10))
        #expect(marks[2] == Array(64..<300))
    }

    @Test func `at most half of a flow goes at once`() {
        let scene = Scene()
        for mark in 0..<9 { scene.append(1, bytes: 100, mark: mark) }
        scene.queue.shorten(&scene.store, &scene.tally, .memoryFull)
        #expect(scene.drop(.memoryFull) == 5)
    }

    /// Takes a packet each 10 ms out of a queue of old ones.
    private func wait(_ scene: Scene, _ count: Int, trafficClass: UInt8) -> [(mark: Int, ecn: UInt8)] {
        for mark in 0..<100 { scene.append(1, bytes: 1400, mark: mark, trafficClass: trafficClass) }
        return (0..<count).compactMap { step in
            scene.now = Instant(nanoseconds: UInt64(step) * 10_000_000)
            return scene.next().map { (Packets.mark($0), $0[1] & 3) }
        }
    }

    @Test func `what waits too long is dropped by CoDel's law`() {
        let scene = Scene()
        let taken = wait(scene, 40, trafficClass: 0)
        // Above the target from 10 ms on; drops at 110, 210, 290 (280.7), 340 (338.4), 390 (388.4) ms.
        #expect(scene.drop(.codel) == 5)
        #expect(Set(0..<45).subtracting(taken.map(\.mark)) == [11, 22, 31, 37, 43])
    }

    @Test(arguments: [ECN.capable0, ECN.capable1])
    func `where the ends listen it is marked and sent`(capable: UInt8) {
        let scene = Scene()
        let taken = wait(scene, 40, trafficClass: 0xb8 | capable)
        #expect(scene.drop(.codel) == 0)
        #expect(taken.map(\.mark) == Array(0..<40))
        #expect(taken.filter { $0.ecn == ECN.congestion }.map(\.mark) == [11, 21, 29, 34, 39])
        #expect(scene.tally.marked == 5)
    }

    @Test func `a queue that is emptied counts what was in it`() {
        let scene = Scene()
        for flow in 0..<30 { scene.append(flow, bytes: 500) }
        scene.queue.removeAll(&scene.store, &scene.tally, .peerGone)
        #expect(scene.drop(.peerGone) == 30)
        #expect(scene.queue.isEmpty && scene.store.count == 0)
        scene.append(4, bytes: 500, mark: 9)
        #expect(scene.next().map { Packets.mark($0) } == 9)
        #expect(scene.next() == nil)
    }

    @Test func `whoever holds most is found within a factor of two`() {
        var random = SeededGenerator(seed: 8)
        var index = BacklogIndex()
        var oracle: [Int: Int] = [:]
        for _ in 0..<20_000 {
            let id = Int.random(in: 0..<60, using: &random)
            let amount = Bool.random(using: &random) ? 0 : Int.random(in: 1...(1 << 26), using: &random)
            index.set(id, amount)
            oracle[id] = amount
            let greatest = oracle.values.max() ?? 0
            if greatest == 0 {
                #expect(index.greatest == nil)
            } else {
                let found = index.greatest.flatMap { oracle[$0] } ?? 0
                #expect(2 * found > greatest)
            }
        }
    }
}
