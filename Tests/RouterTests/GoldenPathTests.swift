import PacketPath
import Pipeline
import Support
import TUN
import Testing
import UDP
import Wire
import WireGuard

/// Files and frames in, frames and every counter out.
@Suite struct GoldenPathTests {
    static func file(_ name: String, workers: Int = 1, peers: String) -> String {
        """
        fullbore: 1
        name: \(name)
        runtime: { workers: \(workers) }
        interfaces:
          wg0:
            private-key: { file: \(name).key }
            listen-port: 51820
            peers:
        \(peers)
        """
    }

    static let aFile = file(
        "a",
        peers: """
                  b:
                    public-key: "<b>"
                    endpoint: 192.0.2.2:51820
                    allowed-ips: [10.0.0.2/32, "fd00::2/128"]
            """)

    static let bFile = file(
        "b",
        peers: """
                  a:
                    public-key: "<a>"
                    allowed-ips: [10.0.0.1/32, "fd00::1/128"]
            """)

    struct Pair {
        let world: World
        let a: MemoryRouter
        let b: MemoryRouter
        /// What leaves a's wireguard stage, and what b's gives to the stages above.
        let sealed = Probe()
        let opened = Probe()

        init(connected: Bool = true, aFile: String = aFile, bFile: String = bFile) throws {
            world = try World()
            let (sealed, opened) = (sealed, opened)
            a = try MemoryRouter(world, at: ["192.0.2.1"], seed: 1, aFile) { sealed.insert(above: "udp", $1) }
            b = try MemoryRouter(world, at: ["192.0.2.2"], seed: 2, bFile) { opened.insert(above: "wireguard", $1) }
            guard connected else { return }
            a.tun.inject(Frames.ping())
            world.run()
            _ = b.takeDelivered()
            sealed.forget()
            opened.forget()
        }
    }

    @Test func aPingCrossesAndEveryCounterIsAsItShouldBe() throws {
        let pair = try Pair(connected: false)
        let (ping, pong) = (Frames.ping(1, 2), Frames.ping(2, 1))
        pair.a.tun.inject(ping)
        pair.world.run()
        #expect(pair.b.takeDelivered() == [[ping]])
        pair.b.tun.inject(pong)
        pair.world.run()
        #expect(pair.a.takeDelivered() == [[pong]])
        // 84 bytes are padded to 96 and sealed to 128. Initiation 148, response 92; the staged ping confirms.
        #expect(
            pair.a.counters == """
                tun: packets-read 1, bytes-read 84, frames-read 1, packets-written 1, bytes-written 84, frames-written 1
                wireguard: packets-sealed 1, packets-opened 1
                udp: datagrams-in 2, bytes-in 220, datagrams-out 2, bytes-out 276
                """)
        #expect(
            pair.b.counters == """
                tun: packets-read 1, bytes-read 84, frames-read 1, packets-written 1, bytes-written 84, frames-written 1
                wireguard: packets-sealed 1, packets-opened 1
                udp: datagrams-in 2, bytes-in 276, datagrams-out 2, bytes-out 220
                """)
        #expect(pair.a.notes.map(\.event) == [.handshakeCompleted(initiator: true)])
    }

    @Test func theNamesOfAllCountersAreThese() throws {
        let pair = try Pair(connected: false)
        let names = pair.a.workers[0].reports.map { stage, report in
            ([stage + ":"] + report.counters.map(\.name) + ["|"] + report.drops.map(\.name)).joined(separator: " ")
        }
        #expect(
            names == [
                "tun: packets-read bytes-read frames-read packets-written bytes-written frames-written "
                    + "coalescing-fallbacks | truncated-frame not-ip lying-length checksum-out-of-range "
                    + "unknown-offload segment-size-zero segments-without-checksum offload-of-other-version "
                    + "offloaded-fragment bad-transport-header bad-datagram-length tun-queue-full link-down "
                    + "link-gone refused-by-kernel write-failed",
                "allowed-ips: | not-ip no-route source-not-allowed",
                "wireguard: packets-sealed packets-opened portions-helped packets-staged cookies-sent | no-endpoint endpoint-in-own-tunnel "
                    + "staged-too-many staging-full handshake-unanswered peer-removed too-large-to-seal batch-full handshake-queue-full "
                    + "interface-down inner-too-short inner-not-ip inner-lying-length not-wireguard bad-mac1 "
                    + "unknown-receiver invalid-initiation unknown-peer "
                    + "replayed-initiation too-many-initiations invalid-response invalid-cookie-reply expired-key "
                    + "replayed forged no-private-key cookie-due source-too-busy handshake-overtaken "
                    + "handshake-owner-busy cookie-not-sent",
                "probe: |",
                "udp: datagrams-in bytes-in datagrams-out bytes-out receive-errors segmentation-fallbacks "
                    + "source-fallbacks | truncated run-too-long receive-queue-full no-socket no-endpoint "
                    + "send-buffer-full unreachable not-permitted too-large no-memory send-error",
                "workers: packets-handed-over buffers-allocated unreachables-told unreachables-suppressed "
                    + "| handoff-full",
            ])
    }

    /// Nothing else is to happen: a packet more would only be put behind the one that waits.
    @Test func `P-9.3 what waited for a session before a sleep is sent after it`() throws {
        let pair = try Pair(connected: false)
        pair.world.network.interfere = { _ in .lose }
        pair.a.tun.inject(Frames.ping(1, 2))
        pair.world.run(.milliseconds(100))
        pair.a.workers[0].wireGuard.forgetSessions(pair.world.now)
        pair.world.network.interfere = nil
        pair.world.run(.seconds(10))
        #expect(pair.b.takeDelivered() == [[Frames.ping(1, 2)]])
    }

    /// Two peers of one name, two ports, two devices; one list of stages.
    @Test func interfacesOfOneRouterKeepApart() throws {
        let world = try World()
        let two = """
            fullbore: 1
            name: a
            runtime: { workers: 1 }
            interfaces:
              wg0:
                private-key: { file: a.key }
                listen-port: 51820
                peers:
                  far: { public-key: "<b>", endpoint: "192.0.2.2:51820", allowed-ips: [10.0.0.2/32] }
              wg1:
                private-key: { file: d.key }
                listen-port: 51821
                peers:
                  far: { public-key: "<c>", endpoint: "192.0.2.3:51820", allowed-ips: [10.0.0.3/32] }
            """
        let a = try MemoryRouter(world, at: ["192.0.2.1"], two)
        let b = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820", seed: 5)
        let c = try EnginePeer(world, "c", at: ["192.0.2.3"], to: "d", remote: "192.0.2.1:51821", seed: 6)
        a.tuns[0][0].inject(Frames.ping(1, 2))
        a.tuns[1][0].inject(Frames.ping(1, 3))
        // Each is a stranger on the other's interface.
        a.tuns[0][0].inject(Frames.ping(1, 3))
        a.tuns[1][0].inject(Frames.ping(1, 2))
        world.run()
        #expect(b.received.map { Array($0.prefix(84)) } == [Frames.ping(1, 2)])
        #expect(c.received.map { Array($0.prefix(84)) } == [Frames.ping(1, 3)])
        b.send(Frames.ping(2, 1), world.now)
        c.send(Frames.ping(3, 1), world.now)
        c.send(Frames.ping(2, 1), world.now)
        world.run(.milliseconds(10))
        #expect(a.takeDelivered(0) == [[Frames.ping(2, 1)]])
        #expect(a.takeDelivered(1) == [[Frames.ping(3, 1)]])
        #expect(
            a.counters == """
                tun: packets-read 4, bytes-read 336, frames-read 4, packets-written 2, bytes-written 168, frames-written 2
                allowed-ips:  | no-route 2, source-not-allowed 1
                wireguard: packets-sealed 2, packets-opened 3
                udp: datagrams-in 5, bytes-in 532, datagrams-out 4, bytes-out 552
                workers: unreachables-told 2
                """)
        #expect(a.hosts.map(\.port) == [51820, 51821])
    }

    // MARK: Super-packets

    /// Each is a run of at most 65,507 bytes: P-4.23.
    @Test(
        arguments: [
            // Payload, its segments' size, how many; bytes on the wire of each but the last, and of that.
            (isIPv6: false, isTCP: true, payload: 60_000, size: 1360, count: 45, each: 1440, last: 240),
            (isIPv6: true, isTCP: true, payload: 60_000, size: 1340, count: 45, each: 1440, last: 1136),
            (isIPv6: false, isTCP: false, payload: 50_000, size: 1392, count: 36, each: 1452, last: 1344),
            (isIPv6: true, isTCP: false, payload: 50_000, size: 1372, count: 37, each: 1452, last: 688),
        ])
    func aSuperPacketStaysOneAndLeavesAsOneRunAndArrivesAsOne(
        _ given: (isIPv6: Bool, isTCP: Bool, payload: Int, size: Int, count: Int, each: Int, last: Int)
    ) throws {
        let pair = try Pair()
        let plain = Frames.packet(isIPv6: given.isIPv6, isTCP: given.isTCP, payload: given.payload)
        let (packet, header) = Frames.superPacket(plain, size: given.size)
        let segments = PacketOracle.cut(packet, header: plain.headerLength, size: given.size)
        let before = pair.a.counter("udp", "datagrams-out")
        pair.a.tun.inject(packet, header: header)
        pair.world.run()

        let bytes = (given.count - 1) * given.each + given.last
        #expect(pair.sealed.outbound == [Probe.Entry(packets: given.count, bytes: bytes)])
        #expect(pair.a.counter("udp", "datagrams-out") - before == UInt64(given.count))
        #expect(pair.opened.inbound == segments.map { Probe.Entry(packets: 1, bytes: $0.count) })
        // One write, and cut up again it is bit for bit what segmenting by hand gives.
        #expect(pair.b.takeDelivered() == [segments])
        let sum = UInt64(given.count)
        #expect(
            pair.a.counters == """
                tun: packets-read \(sum + 1), bytes-read \(packet.count + 84), frames-read 2
                wireguard: packets-sealed \(sum + 1)
                udp: datagrams-in 1, bytes-in 92, datagrams-out \(sum + 2), bytes-out \(bytes + 276)
                """)
        #expect(
            pair.b.counters == """
                tun: packets-written \(sum + 1), bytes-written \(packet.count + 84), frames-written 2
                wireguard: packets-opened \(sum + 1)
                udp: datagrams-in \(sum + 2), bytes-in \(bytes + 276), datagrams-out 1, bytes-out 92
                """)
    }

    @Test func aSuperPacketToNobodyCountsAsItsSegments() throws {
        let pair = try Pair()
        let plain = Frames.packet(1, 9, isTCP: true, payload: 5000)
        let (packet, header) = Frames.superPacket(plain, size: 1000)
        pair.a.tun.inject(packet, header: header)
        pair.a.tun.inject(Frames.ping(1, 9))
        pair.world.run()
        #expect(pair.a.counter("allowed-ips", "no-route") == 6)
        #expect(pair.a.counter("wireguard", "packets-sealed") == 1)
    }

    @Test func aPeerThatHasNotBeenHeardOfHasNoEndpoint() throws {
        let pair = try Pair(connected: false)
        pair.b.tun.inject(Frames.ping(2, 1))
        pair.world.run(.seconds(100))
        #expect(
            pair.b.counters == """
                tun: packets-read 1, bytes-read 84, frames-read 1
                wireguard:  | no-endpoint 1
                workers: unreachables-told 1
                """)
        #expect(pair.a.counters == "")
    }

    @Test func whatWaitsForAPeerThatNeverAnswersIsDroppedAfterNinetySeconds_P5_1() throws {
        let pair = try Pair(connected: false)
        pair.b.asleep = [0]
        for sequence in 1...200 { pair.a.tun.inject(Frames.ping(sequence: UInt16(sequence))) }
        pair.world.run(.seconds(60))
        // 128 wait, the oldest have given way: P-4.13.
        #expect(pair.a.counter("wireguard", "packets-staged") == 128)
        #expect(pair.a.counter("wireguard", "staged-too-many") == 72)
        pair.world.run(.seconds(60))
        #expect(pair.a.counter("wireguard", "packets-staged") == 0)
        #expect(pair.a.counter("wireguard", "handshake-unanswered") == 128)
        #expect(pair.a.notes.map(\.event) == [.handshakeGivenUp])
    }

    /// P-4.13: the bound is on packets of the wire, and a super-packet is kept or dropped whole.
    @Test func superPacketsThatWaitForASessionCountAsTheirSegments() throws {
        let pair = try Pair(connected: false)
        pair.b.asleep = [0]
        let (packet, header) = Frames.superPacket(Frames.packet(isTCP: true, payload: 50_000), size: 1000)
        for _ in 0..<5 { pair.a.tun.inject(packet, header: header) }
        pair.world.run()
        #expect(pair.a.counter("wireguard", "packets-staged") == 150)
        #expect(pair.a.counter("wireguard", "staged-too-many") == 100)
        pair.b.asleep = []
        pair.world.run()
        #expect(pair.b.takeDelivered().joined().count == 150)
        #expect(pair.a.counter("wireguard", "packets-staged") == 0)
    }

    @Test func whatWaitedComesInOrderOnceThePeerAnswers() throws {
        let pair = try Pair(connected: false)
        pair.b.asleep = [0]
        for sequence in 1...100 { pair.a.tun.inject(Frames.ping(sequence: UInt16(sequence))) }
        pair.world.run(.seconds(3))
        pair.b.asleep = []
        pair.world.run(.seconds(3))
        let sequences = pair.b.takeDelivered().joined().map { Int($0[26]) << 8 | Int($0[27]) }
        #expect(sequences == Array(1...100))
    }

    // MARK: The host's end

    static let ranges: [(String, @Sendable (inout VirtioHeader) -> Void)] = [
        ("checksum-out-of-range", { $0.checksumStart = 19 }),
        ("checksum-out-of-range", { $0.checksumStart = .max }),
        ("checksum-out-of-range", { $0.checksumOffset = .max }),
        ("unknown-offload", { $0.segmentation = 3 }),
        ("unknown-offload", { $0.segmentation = 0xff }),
        ("segment-size-zero", { $0.segmentSize = 0 }),
        ("segments-without-checksum", { $0.flags = 0 }),
        ("offload-of-other-version", { $0.segmentation = VirtioHeader.Kind.tcp6 }),
        ("bad-transport-header", { $0.segmentation = VirtioHeader.Kind.udp }),
    ]

    @Test(arguments: ranges.indices) func aHeaderOutOfRangeEndsAtTheTUN_S27(index: Int) throws {
        let (reason, change) = Self.ranges[index]
        let pair = try Pair()
        var (packet, header) = Frames.superPacket(Frames.packet(isTCP: true, payload: 9000), size: 1000)
        change(&header)
        pair.a.tun.inject(packet, header: header)
        packet = Frames.ping(sequence: 7)
        pair.a.tun.inject(packet)
        pair.world.run()
        #expect(pair.b.takeDelivered() == [[packet]], "the next frame is not touched by it")
        #expect(
            pair.a.counters == """
                tun: packets-read 2, bytes-read 168, frames-read 3 | \(reason) 1
                wireguard: packets-sealed 2
                udp: datagrams-in 1, bytes-in 92, datagrams-out 3, bytes-out 404
                """)
    }

    @Test func malformedFramesWithoutEndDoNotKeepATurnFromEnding() throws {
        let pair = try Pair()
        for _ in 0..<1000 { pair.a.tun.inject(frame: [0, 0]) }
        pair.a.workers[0].turn(pair.world.now)
        #expect(pair.a.tun.waitingCount >= 900)
    }

    /// Segments of one byte make more messages than one batch can hold.
    @Test func aSuperPacketOfTooManySegmentsIsDroppedAndTheNextIsNot() throws {
        let pair = try Pair()
        let (packet, header) = Frames.superPacket(Frames.packet(isTCP: true, payload: 65_400), size: 1)
        pair.a.tun.inject(packet, header: header)
        pair.a.tun.inject(Frames.ping(sequence: 7))
        pair.world.run()
        #expect(pair.a.counter("wireguard", "too-large-to-seal") == 65_400)
        #expect(pair.a.counter("wireguard", "packets-staged") == 0)
        #expect(pair.b.takeDelivered() == [[Frames.ping(sequence: 7)]])
    }
}
