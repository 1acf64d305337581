@testable import Crypto

/// Memory for a transport cipher with every byte around the message watched.
///
///     guard | headroom | message + tag | slack | guard
struct CipherRoom {
    private static let guardSize = 64
    private static let canary: UInt8 = 0xc7

    private var memory: [UInt8]
    private let room: Int

    /// For messages of up to `room` bytes, the tag not counted.
    init(room: Int) {
        self.room = room
        memory = [UInt8](
            repeating: CipherRoom.canary,
            count: 2 * CipherRoom.guardSize + AEAD.headroom + room + AEAD.tagSize + AEAD.slack)
    }

    private var start: Int { CipherRoom.guardSize + AEAD.headroom }

    /// All of it, to see that nothing changed.
    var everything: [UInt8] { memory }

    mutating func put(_ bytes: [UInt8]) { memory.replaceSubrange(start..<start + bytes.count, with: bytes) }

    mutating func flip(bit: Int) { memory[start + bit / 8] ^= 1 << UInt8(bit % 8) }

    func get(_ count: Int) -> [UInt8] { Array(memory[start..<start + count]) }

    /// Whether everything in front of the message, and everything behind the slack of one of `count` bytes, is as it
    /// was.
    func isUntouchedAround(count: Int) -> Bool {
        memory[..<start].allSatisfy { $0 == CipherRoom.canary }
            && memory[(start + count + AEAD.tagSize + AEAD.slack)...].allSatisfy { $0 == CipherRoom.canary }
    }

    @safe mutating func lendMutable<Result>(_ body: (UnsafeMutableRawPointer) -> Result) -> Result {
        let start = self.start
        return unsafe memory.withUnsafeMutableBytes { unsafe body($0.start + start) }
    }

    @safe func lend<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        memory.lend { unsafe body(UnsafeRawPointer($0.octets) + start) }
    }
}

extension AEAD {
    func seal(_ key: [UInt8], _ counter: UInt64, _ source: CipherRoom, _ count: Int, into destination: inout CipherRoom)
    {
        key.secret.withBytes { key in
            source.lend { source in
                destination.lendMutable { destination in
                    unsafe seal(key, counter, destination, source, count)
                }
            }
        }
    }

    func open(
        _ key: [UInt8], _ counter: UInt64, _ source: CipherRoom, _ count: Int, into destination: inout CipherRoom
    ) -> Bool {
        key.secret.withBytes { key in
            source.lend { source in
                destination.lendMutable { destination in
                    unsafe open(key, counter, destination, source, count)
                }
            }
        }
    }
}
