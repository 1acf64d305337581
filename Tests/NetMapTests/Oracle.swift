import Pipeline
import StageTestKit
import Support

/// What the mappings of `Scene` make of an address, bit by bit.
enum Oracle {
    struct Pair: Sendable {
        let theirs: [UInt8]
        let ours: [UInt8]
        let length: Int

        init(_ theirs: String, _ ours: String, _ length: Int) {
            (self.theirs, self.ours, self.length) = (address(theirs), address(ours), length)
        }
    }

    static let pairs = [
        Pair("192.168.1.0", "10.99.1.0", 24), Pair("172.16.32.0", "100.64.96.0", 19),
        Pair("fd00:1::", "fd99:2:3:4::", 64), Pair("2001:db8:4000::", "fd77:1234:a000::", 35),
    ]

    private static func bit(_ bytes: [UInt8], _ index: Int) -> Bool { bytes[index / 8] & 0x80 >> (index % 8) != 0 }

    private static func isIn(_ address: [UInt8], _ prefix: [UInt8], _ length: Int) -> Bool {
        address.count == prefix.count && (0..<length).allSatisfy { bit(address, $0) == bit(prefix, $0) }
    }

    static func withPrefix(_ prefix: [UInt8], _ length: Int, _ address: [UInt8]) -> [UInt8] {
        var result = address
        for index in 0..<length {
            let mask: UInt8 = 0x80 >> (index % 8)
            result[index / 8] = result[index / 8] & ~mask | prefix[index / 8] & mask
        }
        return result
    }

    /// nil for an address that is not translated in that direction.
    static func translated(_ address: [UInt8], _ direction: Direction) -> [UInt8]? {
        for pair in pairs {
            let (from, to) = direction == .outbound ? (pair.ours, pair.theirs) : (pair.theirs, pair.ours)
            if isIn(address, from, pair.length) { return withPrefix(to, pair.length, address) }
        }
        return nil
    }
}

extension Model {
    struct Translated {
        var model: Model
        var outer = false
        var quote = false
    }

    /// The packet with the other addresses, and which of them are others.
    func translated(_ direction: Direction) -> Translated {
        var result = Translated(model: self)
        let address = direction == .outbound ? destination : source
        if let new = Oracle.translated(address, direction) {
            result.outer = true
            if direction == .outbound { result.model.destination = new } else { result.model.source = new }
        }
        // Redirects are not touched.
        if case .error(let type, let quoted, let kept) = content, type != 5, kept >= quoted.leastKept {
            let address = direction == .outbound ? quoted.source : quoted.destination
            if let new = Oracle.translated(address, direction) {
                var quoted = quoted
                if direction == .outbound { quoted.source = new } else { quoted.destination = new }
                result.quote = true
                result.model.content = .error(type: type, quoted, kept: kept)
            }
        }
        return result
    }

    /// So much of a quoted packet has to be there.
    var leastKept: Int { isIPv6 ? 40 : headerLength }

    /// Whether the transport's checksum counts the peer's address.
    func countsAddress(_ direction: Direction) -> Bool {
        guard let number = [6, 17, 33, 136, 58].first(where: { $0 == number }), checksumOffset != nil || number == 17
        else { return false }
        return !(direction == .outbound && hasSegmentsLeft)
    }

    private var hasSegmentsLeft: Bool {
        extensions.contains { if case .routing(let left) = $0 { left > 0 } else { false } }
    }
}

/// Random packets of every kind.
struct ModelGenerator {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func chance(_ of: Int) -> Bool { number(1...of) == 1 }

    mutating func packet(_ direction: Direction) -> Model {
        let isIPv6 = Bool.random(using: &random)
        let (peers, own) = (peerAddress(direction, isIPv6), ownAddress(isIPv6))
        var model = packet(isIPv6, from: direction == .outbound ? own : peers, to: direction == .outbound ? peers : own)
        if chance(4) {
            // An error, and what it is about went the other way.
            let (peers, own) = (peerAddress(direction, isIPv6), ownAddress(isIPv6))
            let quoted =
                direction == .outbound ? packet(isIPv6, from: peers, to: own) : packet(isIPv6, from: own, to: peers)
            let types: [UInt8] = isIPv6 ? [1, 2, 3, 4] : [3, 4, 5, 11, 12]
            let type = types.randomElement(using: &random) ?? 3
            let whole = quoted.bytes.count
            let kept = chance(2) ? whole : number(0...whole / 2) * 2
            model.content = .error(type: type, quoted, kept: kept)
        }
        return model
    }

    private mutating func packet(_ isIPv6: Bool, from source: [UInt8], to destination: [UInt8]) -> Model {
        var model = Model(source: source, destination: destination, content: content(isIPv6))
        model.identification = UInt16(number(0...65_535))
        if isIPv6 {
            for _ in 0..<(chance(3) ? number(1...3) : 0) {
                model.extensions.append(
                    chance(3)
                        ? .routing(segmentsLeft: UInt8(number(0...1)))
                        : .options(chance(2) ? 0 : 60, units: number(1...3)))
            }
        } else if chance(4) {
            model.ipOptions = [UInt8](repeating: 1, count: number(1...10) * 4)
        }
        return model
    }

    private mutating func content(_ isIPv6: Bool) -> Model.Content {
        let data = random.bytes(number(0...90))
        switch number(0...6) {
        case 0, 1: return .tcp(data)
        case 2: return .udp(data, isSummed: true)
        case 3: return .udp(data, isSummed: false)
        case 4: return .like(chance(2) ? 33 : 136, data)
        case 5: return .icmp(type: (isIPv6 ? [128, 129, 143] : [0, 8, 13])[number(0...2)], data)
        default: return .other(data)
        }
    }

    /// Mostly one that the mappings are about.
    private mutating func peerAddress(_ direction: Direction, _ isIPv6: Bool) -> [UInt8] {
        let width = isIPv6 ? 16 : 4
        let host = random.bytes(width)
        guard !chance(6) else { return ownAddress(isIPv6) }
        let pairs = Oracle.pairs.filter { $0.ours.count == width }
        let pair = pairs[number(0...pairs.count - 1)]
        return Oracle.withPrefix(direction == .outbound ? pair.ours : pair.theirs, pair.length, host)
    }

    /// One that no mapping is about.
    private mutating func ownAddress(_ isIPv6: Bool) -> [UInt8] {
        isIPv6 ? [0x2a, 0x00] + random.bytes(14) : [10, 5] + random.bytes(2)
    }
}
