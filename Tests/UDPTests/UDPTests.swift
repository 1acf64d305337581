import Glibc
import Linux
import Pipeline
import Testing
import Wire

@testable import UDP

private let loopbacks = ["127.0.0.1", "::1"]

@Suite struct UDPSocketsTests {
    @Test func bothFamiliesHaveOnePortWhichTheKernelChooses() throws {
        let sockets = try UDPSockets.open(UDPOptions(), workers: 1)
        #expect(sockets.port != 0)
        #expect(sockets.missingIPv6 == nil)
        let descriptors = try #require(sockets.ports.first).descriptors
        #expect(descriptors.count == 2)
        for descriptor in descriptors { #expect(try UDPSocket.port(of: descriptor) == sockets.port) }
    }

    @Test(arguments: [false, true]) func aPortInUseIsRefusedAlsoWhenItsHolderWouldShareIt(shares: Bool) throws {
        var offloads = UDPOffloads(segmentation: false, coalescing: false)
        for family in [IPAddress.Family.v4, .v6] {
            let holder = try UDPSocket.open(
                family, port: 0, sharing: shares, options: UDPOptions(), offloads: &offloads)
            let port = try UDPSocket.port(of: holder.rawValue)
            let error = #expect(throws: Errno.self) { try UDPSockets.open(UDPOptions(port: port), workers: 2) }
            #expect(error == Errno(EADDRINUSE))
            #expect(error?.description.contains("bind UDP port \(port)") == true)
        }
    }

    @Test func aSecondRouterIsRefusedAPortThatWorkersShare() throws {
        let sockets = try UDPSockets.open(UDPOptions(), workers: 2)
        let error = #expect(throws: Errno.self) {
            try UDPSockets.open(UDPOptions(port: sockets.port), workers: 2)
        }
        #expect(error == Errno(EADDRINUSE))
    }

    @Test(arguments: loopbacks) func workersShareAPortAndEachSenderHasItsWorker(address: String) throws {
        let workers = 3
        let sockets = try UDPSockets.open(UDPOptions(), workers: workers)
        #expect(sockets.ports.count == workers)
        var used = Set<Int>()
        for sender in 0..<24 {
            let from = try UDPSockets.open(UDPOptions(), workers: 1)
            let message = Datagrams(bytes: [UInt8(sender)])
            for _ in 0..<3 { from.ports[0].send([(message, .to(address, sockets.port))]) }
            let counts = sockets.ports.map { $0.receiveNow().filter { $0.datagrams == message }.count }
            #expect(counts.sorted() == [0, 0, 3], "one worker has all that one sender sends")
            counts.firstIndex(of: 3).map { _ = used.insert($0) }
        }
        // 24 senders all at one of three workers: once in 3^23.
        #expect(used.count > 1)
    }

    /// The address that it is sent from is one of loopback's that no routing table would choose.
    @Test(arguments: ["127.0.0.9", "::1"])
    func `P-3.13 a reply leaves by the same port, from where the question had come to`(address: String) throws {
        let stranger = try UDPSockets.open(UDPOptions(), workers: 1)
        let bytes = Datagrams.pattern(64)
        let send = { (replies: any ReplySender) in
            let path = Path(
                remote: Endpoint(address: .literal(address == "::1" ? "::1" : "127.0.0.1"), port: stranger.port),
                local: LocalAddress(address: .literal(address), interface: 1))
            return unsafe bytes.withUnsafeBytes { unsafe replies.send($0, by: path) }
        }
        var sockets: UDPSockets? = try UDPSockets.open(UDPOptions(), workers: 2)
        let port = try #require(sockets?.port)
        let replies = try #require(sockets?.replies)
        // It keeps its way out when the workers have let go of theirs.
        for _ in 0..<2 {
            #expect(send(replies))
            let arrivals = try stranger.ports[0].receive(datagrams: 1)
            #expect(arrivals.map(\.datagrams.bytes) == [bytes])
            #expect(arrivals.first?.path.remote == Endpoint(address: .literal(address), port: port))
            sockets = nil
        }
    }

    @Test func aReplyThatHasNoWayIsNotSent() throws {
        let sockets = try UDPSockets.open(UDPOptions(), workers: 1)
        let nowhere = Path(
            remote: Endpoint(address: .literal("127.0.0.1"), port: 9),
            local: LocalAddress(address: .literal("192.0.2.77"), interface: 0))
        let bytes = Datagrams.pattern(64)
        let isSent = unsafe bytes.withUnsafeBytes { unsafe sockets.replies.send($0, by: nowhere) }
        #expect(!isSent)
    }

    @Test func offloadsCanBeSwitchedOff() throws {
        let sockets = try UDPSockets.open(UDPOptions(segmentation: false, coalescing: false), workers: 1)
        #expect(sockets.offloads == UDPOffloads(segmentation: false, coalescing: false))
    }
}

@Suite struct SocketPortTests {
    /// Sizes around what headers, buffers and the kernel's limits are at.
    static let sizes = [0, 1, 31, 32, 148, 1452, 1472, 1473, 9000, 65506, 65507]

    @Test(arguments: loopbacks, sizes)
    func aSingleDatagramOfAnySizeArrivesWithBothItsEnds(address: String, size: Int) throws {
        let (a, b) = try pair()
        let message = Datagrams(bytes: Datagrams.pattern(size))
        a.ports[0].send([(message, .to(address, b.port))])
        let arrivals = try b.ports[0].receive(datagrams: 1)
        #expect(arrivals.map(\.datagrams) == [message])
        let path = try #require(arrivals.first?.path)
        #expect(path.remote == Endpoint(address: .literal(address), port: a.port))
        #expect(path.local?.address == .literal(address))
        #expect(path.local?.interface == 1)
        #expect(a.ports[0].counter("datagrams-out") == 1 && a.ports[0].counter("bytes-out") == UInt64(size))
        #expect(b.ports[0].counter("datagrams-in") == 1 && b.ports[0].counter("bytes-in") == UInt64(size))
        #expect(a.ports[0].dropped.isEmpty && b.ports[0].dropped.isEmpty)
    }

    /// Run lengths and datagram sizes up to the limits of a run, whole and with a short tail.
    static let runs = [
        (1452, 1452 * 45), (1452, 1452 * 3 + 1), (32, 32 * 64), (1, 64), (1, 2), (1023, 65472), (21800, 65400),
    ]

    @Test(arguments: loopbacks, runs)
    func aRunIsSentAsOneAndReceivedAsOne(address: String, run: (size: Int, bytes: Int)) throws {
        let (a, b) = try pair()
        try #require(a.offloads.segmentation && b.offloads.coalescing, "this kernel has both")
        let message = Datagrams(bytes: Datagrams.pattern(run.bytes), size: run.size)
        a.ports[0].send([(message, .to(address, b.port))])
        let arrivals = try b.ports[0].receive(datagrams: message.each.count)
        #expect(arrivals.map(\.datagrams) == [message])
        #expect(a.ports[0].counter("datagrams-out") == UInt64(message.each.count))
        #expect(b.ports[0].counter("datagrams-in") == UInt64(message.each.count))
        #expect(a.ports[0].counter("segmentation-fallbacks") == 0)
    }

    @Test(arguments: [(true, false), (false, true), (false, false)], runs)
    func aRunArrivesWhole(offloads: (segmentation: Bool, coalescing: Bool), run: (size: Int, bytes: Int)) throws {
        let a = try UDPSockets.open(UDPOptions(segmentation: offloads.segmentation), workers: 1)
        let b = try UDPSockets.open(UDPOptions(coalescing: offloads.coalescing), workers: 1)
        let message = Datagrams(bytes: Datagrams.pattern(run.bytes), size: run.size)
        a.ports[0].send([(message, .to("127.0.0.1", b.port))])
        let arrivals = try b.ports[0].receive(datagrams: message.each.count)
        #expect(arrivals.flatMap(\.datagrams.each) == message.each)
        if !offloads.coalescing { #expect(arrivals.allSatisfy { $0.datagrams.size == 0 }) }
    }

    @Test func aFullBatchOfEveryKindAndBothFamiliesKeepsItsOrder() throws {
        let (a, b) = try pair()
        var packets: [(Datagrams, Path)] = []
        for index in 0..<300 {
            let size = [0, 32, 700, 1400][index % 4]
            let run = index % 7 == 0 && size > 0
            let bytes = Datagrams.pattern(run ? size * 3 + 5 : size, seed: index)
            packets.append((Datagrams(bytes: bytes, size: run ? size : 0), .to(loopbacks[index % 2], b.port)))
        }
        a.ports[0].send(packets)
        let sent = packets.flatMap(\.0.each)
        let arrivals = try b.ports[0].receive(datagrams: sent.count)
        #expect(arrivals.count > 1)
        for address in loopbacks {
            let ours = packets.filter { $0.1.remote.address == .literal(address) }.flatMap(\.0.each)
            let theirs = arrivals.filter { $0.path.remote.address == .literal(address) }.flatMap(\.datagrams.each)
            #expect(ours == theirs)
        }
    }

    @Test func moreThanABatchHoldsIsLeftForTheNextReceive() throws {
        let (a, b) = try pair()
        // 30 runs of 64: 1920 datagrams, of which a batch has room for 512.
        let message = Datagrams(bytes: Datagrams.pattern(64 * 8), size: 8)
        a.ports[0].send(Array(repeating: (message, .to("127.0.0.1", b.port)), count: 30))
        var total = 0
        for _ in 0..<4 {
            let arrivals = b.ports[0].receiveNow()
            #expect(arrivals.reduce(0) { $0 + $1.datagrams.each.count } <= PacketBatch.capacity)
            total += arrivals.count
        }
        #expect(total == 30)
        #expect(b.ports[0].dropped.isEmpty)
    }

    /// A local program may send runs of 128 where the kernel has it (6.9): more than the 64 that a message is counted
    /// as before it is read.
    @Test func runsOfMoreDatagramsThanOurOwnNeverOverfillABatch() throws {
        let (a, b) = try pair()
        let message = Datagrams(bytes: Datagrams.pattern(128 * 8), size: 8)
        a.ports[0].send(Array(repeating: (message, .to("127.0.0.1", b.port)), count: 12))
        var total = 0
        for _ in 0..<12 {
            total += b.ports[0].receiveNow().reduce(0) { $0 + $1.datagrams.each.count }
        }
        let dropped = b.ports[0].counter("run-too-long") ?? 0
        #expect(total + Int(dropped) == 12 * 128)
        #expect(total >= PacketBatch.capacity)
    }

    @Test(arguments: loopbacks, [0x01, 0x88, 0xff] as [UInt8])
    func theTrafficClassGoesOutAndComesIn(address: String, trafficClass: UInt8) throws {
        let (a, b) = try pair()
        let run = Datagrams(bytes: Datagrams.pattern(300), size: 100)
        a.ports[0].send([(run, .to(address, b.port))], trafficClass: trafficClass)
        a.ports[0].send([(run, .to(address, b.port))])
        let arrivals = try b.ports[0].receive(datagrams: 6)
        #expect(arrivals.map(\.trafficClass) == [trafficClass, 0])
    }

    @Test func `S-33 a peer's closed port never ends the loop`() throws {
        let (a, b) = try pair()
        // Nobody listens there: the kernel answers each with an ICMP error.
        let nobody = try UDPSockets.open(UDPOptions(), workers: 1).port
        for _ in 0..<20 {
            for address in loopbacks { a.ports[0].send([(Datagrams(bytes: [1]), .to(address, nobody))]) }
            _ = a.ports[0].receiveNow()
        }
        a.ports[0].send([(Datagrams(bytes: [2]), .to("127.0.0.1", b.port))])
        #expect(try b.ports[0].receive(datagrams: 1).map(\.datagrams.bytes) == [[2]])
    }

    @Test func packetsThatCannotGoAreCountedByTheirReason() throws {
        let (a, _) = try pair()
        var batch = PacketBatch(pool: BufferPool())
        batch.append(Packet(batch.pool.take(.small), count: 10))  // no path
        a.ports[0].send(&batch)
        a.ports[0].send([(Datagrams(bytes: Datagrams.pattern(65600)), .to("127.0.0.1", 9))])
        #expect(a.ports[0].dropped == ["no-endpoint": 1, "too-large": 1])
    }

    @Test func aWarmPortAllocatesNoBuffers() throws {
        let (a, b) = try pair()
        let pool = BufferPool()
        let run = Datagrams(bytes: Datagrams.pattern(32 * 64), size: 32)
        func turn() throws {
            a.ports[0].send(Array(repeating: (run, .to("127.0.0.1", b.port)), count: 8), pool: pool)
            #expect(b.ports[0].receiveNow(pool: pool).count == 8)
        }
        try turn()
        let warm = pool.allocations
        for _ in 0..<50 { try turn() }
        #expect(pool.allocations == warm)
    }

    @Test func singleDatagramsHoldSmallBuffers() throws {
        let (a, b) = try pair()
        for size in [0, 32, 1500, Buffer.room(.small), Buffer.room(.small) + 1, 65_000] {
            for address in loopbacks {
                a.ports[0].send([(Datagrams(bytes: Datagrams.pattern(size)), .to(address, b.port))])
                var batch = PacketBatch(pool: BufferPool())
                b.ports[0].receive(into: &batch)
                #expect(batch.count == 1)
                #expect(batch[0].count == size && batch[0].buffer.size == Buffer.size(for: size))
                #expect(unsafe Array(UnsafeRawBufferPointer(batch[0].contents)) == Datagrams.pattern(size))
            }
        }
    }

    /// P-6.8.
    @Test(.enabled(if: getuid() == 0, "needs root, to go beyond the host's limit"))
    func buffersAreLargerThanTheHostsLimit() throws {
        let sockets = try UDPSockets.open(UDPOptions(), workers: 1)
        for descriptor in sockets.ports[0].descriptors {
            for option in [SO_RCVBUF, SO_SNDBUF] {
                var size: CInt = 0
                var length = socklen_t(MemoryLayout<CInt>.size)
                #expect(unsafe getsockopt(descriptor, SOL_SOCKET, option, &size, &length) == 0)
                #expect(size >= 7 << 20)
            }
        }
    }

    @Test func whatASocketHasNoRoomForIsCounted() throws {
        let a = try UDPSockets.open(UDPOptions(segmentation: false), workers: 1)
        let b = try UDPSockets.open(UDPOptions(coalescing: false), workers: 1)
        for descriptor in b.ports[0].descriptors {
            try SocketOption.set(descriptor, SOL_SOCKET, SO_RCVBUF, 64 << 10, "SO_RCVBUF")
        }
        let message = Datagrams(bytes: Datagrams.pattern(1400))
        for address in loopbacks {
            let before = b.ports[0].counter("receive-queue-full") ?? 0
            a.ports[0].send(Array(repeating: (message, .to(address, b.port)), count: 300))
            var received = 0
            while case let now = b.ports[0].receiveNow().count, now > 0 { received += now }
            #expect(received > 0 && received < 300)
            // What was lost is told with the next message that is not.
            a.ports[0].send([(message, .to(address, b.port))])
            #expect(try b.ports[0].receive(datagrams: 1).count == 1)
            #expect(b.ports[0].counter("receive-queue-full") == before + UInt64(300 - received))
        }
    }

    private func pair() throws -> (UDPSockets, UDPSockets) {
        (try UDPSockets.open(UDPOptions(), workers: 1), try UDPSockets.open(UDPOptions(), workers: 1))
    }
}
