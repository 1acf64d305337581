import Pipeline
import StageTestKit
import Support
import Testing
import Wire

@testable import NetMap

/// Random packets of every kind, against the packets with the other addresses worked out from nothing.
@Suite struct PropertyTests {
    private static let rounds = 3000

    /// What the counters have to say in the end.
    private struct Expected {
        var translated = 0, quotes = 0, unmapped = 0, incomplete = 0

        mutating func note(_ result: Model.Translated) {
            if result.outer || result.quote { translated += 1 } else { unmapped += 1 }
            if result.quote { quotes += 1 }
        }

        func check(_ scene: Scene, _ direction: Direction) {
            scene.bench.expect(
                counters: [
                    direction == .outbound ? "translated-out" : "translated-in": translated,
                    "quotes-translated": quotes,
                    "packets-unmapped": unmapped,
                ], dropped: ["incomplete-headers": incomplete])
        }
    }

    @Test(arguments: Direction.allCases)
    func `a translated packet is the packet with other addresses`(_ direction: Direction) throws {
        let scene = try Scene()
        var generator = ModelGenerator(seed: 1)
        var expected = Expected()
        for round in 0..<Self.rounds {
            let model = generator.packet(direction)
            let result = model.translated(direction)
            expected.note(result)
            let bytes = scene.pass(model.bytes, direction)
            guard bytes == result.model.bytes else {
                Issue.record("round \(round): \(model)\nfound    \(bytes ?? [])\nexpected \(result.model.bytes)")
                return
            }
        }
        expected.check(scene, direction)
        #expect(min(expected.translated, expected.quotes, expected.unmapped) > Self.rounds / 20, "all kinds came by")
    }

    @Test(arguments: Direction.allCases)
    func `a checksum that is owed to an offload stays the pseudo-header's sum`(_ direction: Direction) throws {
        let scene = try Scene()
        var generator = ModelGenerator(seed: 2)
        var expected = Expected()
        for round in 0..<Self.rounds {
            var model = generator.packet(direction)
            guard let offset = model.checksumOffset, model.isIPv6 || model.number != 1, !model.hasRoutingHeader else {
                continue
            }
            model.owesChecksum = true
            let offload = Offload(
                needsChecksum: true, checksumStart: UInt16(model.headerLength), checksumOffset: UInt16(offset))
            let bytes = scene.pass(model.bytes, direction, owing: offload)
            let result = model.translated(direction)
            expected.note(result)
            guard bytes == result.model.bytes else {
                Issue.record("round \(round): \(model)\nfound    \(bytes ?? [])\nexpected \(result.model.bytes)")
                return
            }
        }
        expected.check(scene, direction)
        #expect(expected.translated > Self.rounds / 4)
    }

    @Test(arguments: Direction.allCases)
    func `fragments put together are the packet with other addresses`(_ direction: Direction) throws {
        let scene = try Scene()
        var generator = ModelGenerator(seed: 3)
        var expected = Expected()
        for round in 0..<Self.rounds {
            let model = generator.packet(direction)
            if case .error = model.content { continue }
            let result = model.translated(direction)
            let size = generator.number(1...4) * 8
            var isLost = false
            for (index, fragment) in model.fragments(size).enumerated() {
                let bytes = scene.pass(fragment, direction)
                let place = model.number == 17 ? 6 : model.checksumOffset ?? 0
                if index == 0, result.outer, model.countsAddress(direction), min(fragment.count, size) < place + 2 {
                    expected.incomplete += 1
                    isLost = true
                    #expect(bytes == nil, "its checksum is in the next one")
                    continue
                }
                expected.note(result)
                let fragments = result.model.fragments(size)
                guard isLost || bytes == fragments[index] else {
                    Issue.record(
                        "round \(round): \(model), \(index) of \(size)\nfound    \(bytes ?? [])\nexpected \(fragments[index])"
                    )
                    return
                }
            }
        }
        expected.check(scene, direction)
        #expect(expected.incomplete > 50)
    }

    /// The other way round the mappings are each other's inverse, so that the peer's own translation could be this one.
    @Test(arguments: Direction.allCases)
    func `there and back again every byte is as it was`(_ direction: Direction) throws {
        let scene = try Scene()
        let inverse = try Scene(
            Scene.mappings.replacing("theirs", with: "x").replacing("ours", with: "theirs").replacing("x", with: "ours")
        )
        var generator = ModelGenerator(seed: 4)
        var (all, changed) = (Expected(), Expected())
        for _ in 0..<Self.rounds {
            let model = generator.packet(direction)
            let result = model.translated(direction)
            all.note(result)
            let there = try #require(scene.pass(model.bytes, direction))
            guard result.outer || result.quote else { continue }
            changed.note(result)
            try #require(there != model.bytes && inverse.pass(there, direction) == model.bytes)
        }
        all.check(scene, direction)
        changed.check(inverse, direction)
        #expect(changed.translated > Self.rounds / 2)
    }

    @Test func `whatever the bytes are, nothing outside of them is touched`() throws {
        let read = try OptionsText.read(Scene.mappings, as: Mappings.self, of: "netmap")
        let translation = Translation(try #require(read as? Mappings).mappings)
        var generator = ModelGenerator(seed: 5)
        for round in 0..<Self.rounds {
            var bytes = generator.packet(round % 2 == 0 ? .outbound : .inbound).bytes
            bytes = Array(bytes.prefix(generator.number(0...bytes.count)))
            // What is declared may be anything.
            for _ in 0..<generator.number(0...3) where !bytes.isEmpty {
                bytes[generator.number(0...bytes.count - 1)] = UInt8(generator.number(0...255))
            }
            let memory = GuardedBytes(bytes)
            let outcome = unsafe translation.apply(
                round % 2 == 0 ? .outbound : .inbound, to: memory.bytes, owing: .none)
            if case .translated = outcome { continue }
            #expect(memory.contents == bytes, "\(outcome)")
        }
    }
}

extension Model {
    var hasRoutingHeader: Bool { extensions.contains { if case .routing = $0 { true } else { false } } }
}
