import Pipeline
import Support
import Testing
import Wire
import WireGuard

@testable import PacketPath

struct StagingBoundsTests {
    private let pool = BufferPool()

    /// A packet of `peer`, told apart by its length.
    private func packet(_ peer: Int, _ number: Int, _ size: Buffer.Size = .small) -> Packet {
        var packet = Packet(pool.take(size), count: number)
        packet.peer = PeerID(peer)
        return packet
    }

    private func drain(_ staging: Staging, _ peer: Int) -> [Int] {
        guard let queue = staging[PeerID(peer)] else { return [] }
        var numbers: [Int] = []
        while let packet = staging.pop(queue) {
            numbers.append(packet.count)
            pool.recycle(packet)
        }
        staging.removeAll(of: PeerID(peer))
        return numbers
    }

    @Test func ofOnePeersPacketsTheOldestGivesWay_P4_13() {
        let staging = Staging(pool)
        var dropped: [Int] = []
        for number in 1...(Limits.stagedPackets + 3) {
            staging.append(packet(7, number)) { packet, cause in
                #expect(cause == .peerBound)
                dropped.append(packet.count)
            }
        }
        #expect(dropped == [1, 2, 3])
        #expect(staging.packets == Limits.stagedPackets)
        #expect(drain(staging, 7) == Array(4...(Limits.stagedPackets + 3)))
        #expect(staging.isEmpty && staging.packets == 0 && staging.memory == 0)
    }

    @Test func ofAllMemoryThePeerGivesWayThatHasWaitedLongest() {
        let staging = Staging(pool, memoryBound: 4 * Buffer.Size.large.rawValue)
        var dropped: [String] = []
        func append(_ peer: Int, _ number: Int) {
            staging.append(packet(peer, number, .large)) { packet, cause in
                #expect(cause == .memoryBound)
                dropped.append("\(packet.peer.index):\(packet.count)")
            }
        }
        for (peer, number) in [(1, 1), (2, 1), (1, 2), (3, 1)] { append(peer, number) }
        #expect(dropped.isEmpty)
        append(3, 2)
        #expect(dropped == ["1:1", "1:2"], "all that it has")
        append(2, 2)
        append(2, 3)
        #expect(dropped == ["1:1", "1:2", "2:1"], "its own oldest where it has waited longest itself")
        #expect(drain(staging, 2) == [2, 3] && drain(staging, 3) == [1, 2] && drain(staging, 1) == [])
        #expect(staging.memory == 0)
    }

    @Test func whatIsPutBackIsTheNext() throws {
        let staging = Staging(pool)
        for number in 1...3 { staging.append(packet(0, number)) { _, _ in } }
        let queue = try #require(staging[PeerID(0)])
        guard let first = staging.pop(queue) else {
            Issue.record("nothing waits")
            return
        }
        #expect(staging.packets == 2)
        staging.putBack(first, queue)
        #expect(staging.packets == 3)
        #expect(drain(staging, 0) == [1, 2, 3])
    }

    @Test func whileRoomIsWaitedForNothingIsGivenUpForTheCount() {
        let staging = Staging(pool)
        staging.waiting(for: PeerID(0)).waitsForRoom = true
        var bigger = packet(0, 2000, .large)
        bigger.offload = .none
        staging.append(bigger) { _, _ in Issue.record("dropped") }
        #expect(drain(staging, 0) == [2000])
    }

    /// What the two bounds mean, said with arrays.
    private struct Oracle {
        let bound: Int
        var waiting: [(peer: Int, packets: [(number: Int, size: Int)])] = []
        var memory: Int { waiting.flatMap(\.packets).reduce(0) { $0 + $1.size } }

        mutating func append(_ peer: Int, _ number: Int, _ size: Int) {
            if !waiting.contains(where: { $0.peer == peer }) { waiting.append((peer, [])) }
            func index() -> Int? { waiting.firstIndex { $0.peer == peer } }
            while let own = index(), waiting[own].packets.count >= Limits.stagedPackets {
                waiting[own].packets.removeFirst()
            }
            while memory + size > bound {
                if waiting[0].peer == peer { waiting[0].packets.removeFirst() } else { waiting.removeFirst() }
            }
            if let own = index() { waiting[own].packets.append((number, size)) }
        }
    }

    @Test(arguments: 0..<20) func itIsWhatItsBoundsSay(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bound = 12 * Buffer.Size.large.rawValue
        let staging = Staging(pool, memoryBound: bound)
        var oracle = Oracle(bound: bound)
        for number in 1...1500 {
            let peer = Int.random(in: 0..<6, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0:
                let at = oracle.waiting.firstIndex { $0.peer == peer }
                #expect(drain(staging, peer) == (at.map { oracle.waiting[$0].packets.map(\.number) } ?? []))
                if let at { oracle.waiting.remove(at: at) }
            default:
                let size = Int.random(in: 0..<4, using: &generator) == 0 ? Buffer.Size.large : .small
                staging.append(packet(peer, number, size)) { _, _ in }
                oracle.append(peer, number, size.rawValue)
            }
            #expect(staging.memory == oracle.memory && staging.memory <= bound)
            #expect(staging.packets == oracle.waiting.reduce(0) { $0 + $1.packets.count })
            #expect(staging.peers.map(\.index) == oracle.waiting.map(\.peer))
        }
        for entry in oracle.waiting { #expect(drain(staging, entry.peer) == entry.packets.map(\.number)) }
        #expect(staging.isEmpty && staging.memory == 0)
    }
}
