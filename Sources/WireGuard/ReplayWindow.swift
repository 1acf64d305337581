/// The counters received on one keypair: a sliding bitmap after RFC 6479, which never shifts bits.
///
/// 8192 bits in a ring of 64-bit words, of which 8128 are usable: the word that the newest counter falls in may be
/// only partly filled, so one word is given up (P-4.2).
///
/// The kilobyte stands beside its owner: as a part of it, it would be copied to be asked.
@safe package struct ReplayWindow: ~Copyable {
    static let words = 128
    /// How far behind the newest counter one may be and still be told apart from a replay.
    package static let size = (words - 1) * 64

    private let bitmap: UnsafeMutablePointer<UInt64>
    /// One more than the greatest counter committed; 0 while there is none.
    private var next: UInt64 = 0

    package init() {
        unsafe bitmap = .allocate(capacity: Self.words)
        unsafe bitmap.initialize(repeating: 0, count: Self.words)
    }

    deinit { unsafe bitmap.deallocate() }

    /// Whether `counter` is new. Asked before the message is authenticated: nothing changes (P-4.3).
    package func accepts(_ counter: UInt64) -> Bool {
        guard counter < Protocol.rejectAfterMessages else { return false }
        if counter >= next { return true }
        // next - 1 is the newest; what is `size` or more behind it is too old to be known.
        guard next - counter <= UInt64(Self.size) else { return false }
        return unsafe bitmap[Self.word(counter)] & Self.bit(counter) == 0
    }

    /// Marks `counter` as received, after its message proved authentic. False when it was known already.
    package mutating func commit(_ counter: UInt64) -> Bool {
        guard accepts(counter) else { return false }
        if counter >= next {
            let newest = next == 0 ? 0 : (next - 1) >> 6
            let steps = min(counter >> 6 - newest, UInt64(Self.words))
            var step: UInt64 = 1
            while step <= steps {
                unsafe bitmap[Self.word((newest &+ step) << 6)] = 0
                step += 1
            }
            next = counter + 1
        }
        unsafe bitmap[Self.word(counter)] |= Self.bit(counter)
        return true
    }

    private static func word(_ counter: UInt64) -> Int { Int(truncatingIfNeeded: counter >> 6) & (words - 1) }
    private static func bit(_ counter: UInt64) -> UInt64 { 1 << (counter & 63) }
}
