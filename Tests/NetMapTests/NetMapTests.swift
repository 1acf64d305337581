import Pipeline
import StageTestKit
import Support
import Testing
import Wire

@Suite struct NetMapTests {
    private static func packet(_ source: String, _ destination: String) -> Model {
        Model(source: address(source), destination: address(destination), content: .udp([1, 2, 3], isSummed: true))
    }

    @Test(arguments: [
        ("10.99.1.0", "192.168.1.0"), ("10.99.1.7", "192.168.1.7"), ("10.99.1.255", "192.168.1.255"),
        ("100.64.96.1", "172.16.32.1"), ("100.64.127.254", "172.16.63.254"),
        ("fd99:2:3:4:5:6:7:8", "fd00:1::5:6:7:8"), ("fd77:1234:bfff:1::9", "2001:db8:5fff:1::9"),
    ])
    func `the prefix is another one, the host bits stay`(_ ours: String, _ theirs: String) throws {
        let scene = try Scene()
        let here = ours.contains(":") ? "2a00::1" : "10.5.0.1"
        #expect(scene.pass(Self.packet(here, ours).bytes, .outbound) == Self.packet(here, theirs).bytes)
        #expect(scene.pass(Self.packet(theirs, here).bytes, .inbound) == Self.packet(ours, here).bytes)
        scene.bench.expect(counters: ["translated-out": 1, "translated-in": 1])
    }

    @Test(arguments: ["10.99.0.255", "10.99.2.0", "100.64.95.255", "100.64.128.0", "fd99:2:3:5::", "fd77:1234:c000::"])
    func `an address beside the prefix passes as it is, and is counted`(_ beside: String) throws {
        let scene = try Scene()
        let here = beside.contains(":") ? "2a00::1" : "10.5.0.1"
        let (down, up) = (Self.packet(here, beside).bytes, Self.packet(beside, here).bytes)
        #expect(scene.pass(down, .outbound) == down)
        #expect(scene.pass(up, .inbound) == up)
        scene.bench.expect(counters: ["packets-unmapped": 2])
    }

    @Test func `our own address is never translated, whatever it is`() throws {
        let scene = try Scene()
        // Both sites use the prefix; and somebody here is called as the peer is from here.
        for here in ["192.168.1.7", "10.99.1.7"] {
            #expect(
                scene.pass(Self.packet(here, "10.99.1.7").bytes, .outbound) == Self.packet(here, "192.168.1.7").bytes)
            #expect(
                scene.pass(Self.packet("192.168.1.7", here).bytes, .inbound) == Self.packet("10.99.1.7", here).bytes)
        }
        scene.bench.expect(counters: ["translated-out": 2, "translated-in": 2])
    }

    @Test func `who evades the translation is dropped`() throws {
        let scene = try Scene()
        #expect(scene.pass(Self.packet("10.99.1.7", "192.168.1.7").bytes, .inbound) == nil)
        #expect(scene.pass(Self.packet("fd99:2:3:4::7", "fd00:1::7").bytes, .inbound) == nil)
        #expect(scene.pass(Self.packet("192.168.1.7", "192.168.1.8").bytes, .outbound) == nil)
        scene.bench.expect(dropped: ["source-in-ours": 2, "destination-in-theirs": 1])
    }

    @Test func `mappings may trade their prefixes`() throws {
        let scene = try Scene(
            "map: [ { theirs: 10.1.0.0/16, ours: 10.2.0.0/16 }, { theirs: 10.2.0.0/16, ours: 10.1.0.0/16 } ]")
        #expect(
            scene.pass(Self.packet("10.1.2.3", "10.9.9.9").bytes, .inbound)
                == Self.packet("10.2.2.3", "10.9.9.9").bytes)
        #expect(
            scene.pass(Self.packet("10.2.2.3", "10.9.9.9").bytes, .inbound)
                == Self.packet("10.1.2.3", "10.9.9.9").bytes)
        scene.bench.expect(counters: ["translated-in": 2])
    }

    // MARK: Peers

    @Test func `other peers' packets are none of its business`() throws {
        let scene = try Scene()
        let packets = [Self.packet("10.5.0.1", "10.99.1.7").bytes, Self.packet("10.5.0.1", "192.168.1.7").bytes]
        for number in [2, 99] {
            let other = try scene.bench.set(number)
            #expect(scene.pass(packets.map { TestPacket(bytes: $0) }, .outbound, of: other) == packets)
        }
        scene.bench.expect()
    }

    @Test func `each packet of a batch goes by its own peer's mappings`() throws {
        let scene = try Scene()
        let other = try scene.bench.set(0, "{ theirs: 192.168.1.0/24, ours: 10.77.0.0/24 }")
        let packet = TestPacket(bytes: Self.packet("192.168.1.7", "10.5.0.1").bytes)
        let peers = [other, other, scene.peer, other, scene.peer, scene.peer]
        scene.bench.enter(peers.map { (packet, $0) }, 0, .inbound)
        let expected = peers.map { Self.packet($0 == other ? "10.77.0.7" : "10.99.1.7", "10.5.0.1").bytes }
        #expect(scene.bench.takeUp().packets.map(\.bytes) == expected)
        scene.bench.expect(counters: ["translated-in": 6])
    }

    @Test func `a mapping is changed in place, and the counters go on`() throws {
        let scene = try Scene()
        let packet = Self.packet("192.168.1.7", "10.5.0.1").bytes
        #expect(scene.pass(packet, .inbound) == Self.packet("10.99.1.7", "10.5.0.1").bytes)
        try scene.bench.set(3, "{ theirs: 192.168.1.0/24, ours: 10.77.0.0/24 }")
        #expect(scene.pass(packet, .inbound) == Self.packet("10.77.0.7", "10.5.0.1").bytes)
        #expect(scene.pass(Self.packet("10.77.0.7", "10.5.0.1").bytes, .inbound) == nil)
        #expect(try scene.bench.reconfigure("{}"))
        #expect(scene.pass(packet, .inbound) == Self.packet("10.77.0.7", "10.5.0.1").bytes)
        try scene.bench.set(3)
        #expect(scene.pass(packet, .inbound) == packet)
        try scene.bench.set(3, Scene.mappings)
        scene.bench.remove(scene.peer)
        try scene.bench.set(3)
        #expect(scene.pass(packet, .inbound) == packet)
        scene.bench.expect(counters: ["translated-in": 3], dropped: ["source-in-ours": 1])
    }

    // MARK: Checksums

    /// Whatever stands there after the translation is the sum's negative; one of 65,535 payloads makes it 0.
    @Test(arguments: [false, true]) func `a UDP checksum never becomes 0`(isIPv6: Bool) throws {
        let scene = try Scene()
        let (from, to) = isIPv6 ? ("fd00:1::7", "2a00::1") : ("192.168.1.7", "10.5.0.1")
        var model = Model(source: address(from), destination: address(to), content: .udp([0, 0], isSummed: true))
        let sum = try #require(scene.pass(model.bytes, .inbound))
        // With these two bytes in the payload it adds up to 0.
        let place = model.headerLength + 6
        model.content = .udp(Array(sum[place..<place + 2]), isSummed: true)
        let bytes = try #require(scene.pass(model.bytes, .inbound))
        #expect(Array(bytes[place..<place + 2]) == [0xff, 0xff])
        #expect(bytes == model.translated(.inbound).model.bytes)
        scene.bench.expect(counters: ["translated-in": 2])
    }

    @Test func `a TCP checksum does become 0`() throws {
        let scene = try Scene()
        var model = Model(
            source: address("192.168.1.7"), destination: address("10.5.0.1"), content: .tcp([0, 0]))
        let sum = try #require(scene.pass(model.bytes, .inbound))
        model.content = .tcp(Array(sum[36..<38]))
        let bytes = try #require(scene.pass(model.bytes, .inbound))
        #expect(Array(bytes[36..<38]) == [0, 0])
        #expect(bytes == model.translated(.inbound).model.bytes)
        scene.bench.expect(counters: ["translated-in": 2])
    }

    @Test(arguments: [
        (isIPv6: false, isTCP: true), (isIPv6: true, isTCP: true), (isIPv6: false, isTCP: false),
        (isIPv6: true, isTCP: false),
    ])
    func `a super-packet is translated once, and its segments are right`(_ kind: (isIPv6: Bool, isTCP: Bool)) throws {
        let scene = try Scene()
        let data = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var model = Model(
            source: address(kind.isIPv6 ? "2a00::1" : "10.5.0.1"),
            destination: address(kind.isIPv6 ? "fd99:2:3:4::7" : "10.99.1.7"),
            content: kind.isTCP ? .tcp(data) : .udp(data, isSummed: true))
        model.owesChecksum = true
        let transport = model.headerLength
        let header = transport + (kind.isTCP ? 20 : 8)
        let offload = Offload(
            segmentation: kind.isTCP ? .tcp : .udp, needsChecksum: true, headerLength: UInt16(header),
            segmentSize: 1300,
            checksumStart: UInt16(transport), checksumOffset: kind.isTCP ? 16 : 6)
        let bytes = try #require(scene.pass(model.bytes, .outbound, owing: offload))
        scene.bench.expect(counters: ["translated-out": 16])

        let expected = PacketOracle.cut(model.translated(.outbound).model.bytes, header: header, size: 1300)
        var memory = bytes
        var segments: [[UInt8]] = []
        unsafe memory.withUnsafeMutableBytes { memory in
            guard let start = memory.baseAddress else { return }
            var segmenter = unsafe Segmenter(start, count: memory.count, offload)
            while let segment = segmenter.next() {
                segments.append(unsafe Array(memory[segment.offset..<segment.offset + segment.count]))
            }
        }
        #expect(segments.count == 16)
        #expect(segments == expected)
        for segment in segments { #expect(PacketOracle.fault(segment) == nil) }
    }

    /// A tunnel in the tunnel: what is owed is the checksum of a packet further in, whose addresses stay.
    @Test func `a checksum that is owed elsewhere stays, and the packet's own follows`() throws {
        let scene = try Scene()
        let model = Self.packet("10.5.0.1", "10.99.1.7")
        let offload = Offload(needsChecksum: true, checksumStart: 28, checksumOffset: 0)
        #expect(scene.pass(model.bytes, .outbound, owing: offload) == model.translated(.outbound).model.bytes)
        scene.bench.expect(counters: ["translated-out": 1])
    }

    @Test(arguments: [0, 8, 15, 16, 17]) func `a first fragment without its checksum is dropped`(_ kept: Int) throws {
        let scene = try Scene()
        let model = Model(
            source: address("10.5.0.1"), destination: address("10.99.1.7"),
            content: .tcp([UInt8](repeating: 1, count: 40)))
        var bytes = Array(model.bytes.prefix(20 + kept))
        bytes.replaceSubrange(2..<4, with: word(bytes.count))
        #expect(scene.pass(bytes, .outbound) == nil)
        scene.bench.expect(dropped: ["incomplete-headers": 1])
    }

    @Test func `extension headers that lead nowhere are dropped`() throws {
        let scene = try Scene()
        var model = Self.packet("2a00::1", "fd99:2:3:4::7")
        model.extensions = [.options(60, units: 2)]
        var bytes = model.bytes
        bytes[41] = 200
        #expect(scene.pass(bytes, .outbound) == nil)
        model.extensions = [Model.Extension](repeating: .options(60, units: 1), count: 9)
        #expect(scene.pass(model.bytes, .outbound) == nil)
        scene.bench.expect(dropped: ["incomplete-headers": 2])
    }

    // MARK: Errors

    private static func error(
        _ type: UInt8, from source: String, to destination: String, about quoted: Model, kept: Int = .max
    ) -> Model {
        Model(
            source: address(source), destination: address(destination),
            content: .error(type: type, quoted, kept: min(kept, quoted.bytes.count)))
    }

    @Test(arguments: [3, 4, 11, 12] as [UInt8])
    func `an error that comes in is about a packet to the peer`(_ type: UInt8) throws {
        let scene = try Scene()
        // Ours has an address of the same prefix: it is not the peer's, and stays.
        let sent = Self.packet("192.168.1.7", "192.168.1.9")
        let error = Self.error(type, from: "192.168.1.9", to: "192.168.1.7", about: sent)
        let expected = Self.error(
            type, from: "10.99.1.9", to: "192.168.1.7", about: Self.packet("192.168.1.7", "10.99.1.9"))
        #expect(scene.pass(error.bytes, .inbound) == expected.bytes)
        scene.bench.expect(counters: ["translated-in": 1, "quotes-translated": 1])
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt8])
    func `an error that goes out is about a packet from the peer`(_ type: UInt8) throws {
        let scene = try Scene()
        let error = Self.error(
            type, from: "fd00:1::7", to: "fd99:2:3:4::9", about: Self.packet("fd99:2:3:4::9", "fd00:1::7"))
        let expected = Self.error(
            type, from: "fd00:1::7", to: "fd00:1::9", about: Self.packet("fd00:1::9", "fd00:1::7"))
        #expect(scene.pass(error.bytes, .outbound) == expected.bytes)
        scene.bench.expect(counters: ["translated-out": 1, "quotes-translated": 1])
    }

    @Test func `a router on the way need not be in a mapping itself`() throws {
        let scene = try Scene()
        let error = Self.error(
            11, from: "10.80.0.2", to: "192.168.1.7", about: Self.packet("192.168.1.7", "192.168.1.9"))
        let expected = Self.error(
            11, from: "10.80.0.2", to: "192.168.1.7", about: Self.packet("192.168.1.7", "10.99.1.9"))
        #expect(scene.pass(error.bytes, .inbound) == expected.bytes)
        scene.bench.expect(counters: ["translated-in": 1, "quotes-translated": 1])
    }

    /// Errors quote as little as they like; what is there is right, up to a checksum of which half is missing.
    @Test(arguments: [false, true], Direction.allCases)
    func `a quote may end anywhere`(isIPv6: Bool, _ direction: Direction) throws {
        let (peers, own) =
            switch (isIPv6, direction) {
            case (false, .outbound): ("10.99.1.9", "192.168.1.7")
            case (false, .inbound): ("192.168.1.9", "192.168.1.7")
            case (true, .outbound): ("fd99:2:3:4::9", "fd00:1::7")
            case (true, .inbound): ("fd00:1::9", "fd00:1::7")
            }
        var quoted = Model(source: address(own), destination: address(peers), content: .tcp([1, 2, 3]))
        if direction == .outbound { swap(&quoted.source, &quoted.destination) }
        let whole = quoted.bytes.count
        let half = quoted.headerLength + 17
        let scene = try Scene()
        for kept in 0...whole where kept != half {
            var error = Self.error(isIPv6 ? 1 : 3, from: peers, to: own, about: quoted, kept: kept)
            if direction == .outbound { swap(&error.source, &error.destination) }
            #expect(scene.pass(error.bytes, direction) == error.translated(direction).model.bytes, "\(kept) bytes")
        }
        let side = direction == .outbound ? "translated-out" : "translated-in"
        scene.bench.expect(counters: [side: whole, "quotes-translated": whole - quoted.leastKept])
    }

    @Test func `half a checksum in a quote stays, and the error is sound`() throws {
        let scene = try Scene()
        let sent = Model(source: address("10.5.0.1"), destination: address("192.168.1.9"), content: .tcp([1, 2, 3]))
        let error = Self.error(3, from: "192.168.1.9", to: "10.5.0.1", about: sent, kept: 37)
        let bytes = try #require(scene.pass(error.bytes, .inbound))
        #expect(PacketOracle.checksum(Array(bytes[20...])) == 0)
        #expect(bytes.last == error.bytes.last)
        #expect(Array(bytes[44..<48]) == address("10.99.1.9"))
        scene.bench.expect(counters: ["translated-in": 1, "quotes-translated": 1])
    }

    @Test func `a redirect's quote stays, and so does one of the other family`() throws {
        let scene = try Scene()
        let sent = Self.packet("192.168.1.7", "192.168.1.9")
        for error in [
            Self.error(5, from: "192.168.1.9", to: "192.168.1.7", about: sent),
            Self.error(3, from: "192.168.1.9", to: "192.168.1.7", about: Self.packet("2a00::1", "fd00:1::9")),
        ] {
            var expected = error
            expected.source = address("10.99.1.9")
            #expect(scene.pass(error.bytes, .inbound) == expected.bytes)
        }
        scene.bench.expect(counters: ["translated-in": 2])
    }
}
