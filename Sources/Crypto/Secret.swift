import CSodium

/// 32 secret bytes with one owner, wiped when it lets go of them (P-9.7).
///
/// The bytes stand outside of the value, so that moving it never leaves a copy behind. There is no description, no
/// hash and no `==` that could let them out by accident.
@safe package struct Secret: ~Copyable, Sendable {
    package static let byteCount = SecretMemory.slotSize

    private let memory: SecretMemory
    let slot: SecretMemory.Slot

    /// All zeros, to be filled through `mutableBytes`.
    package init(in memory: SecretMemory = .shared) {
        self.memory = memory
        slot = memory.allocate()
    }

    /// A copy of the 32 bytes at `bytes`, which the caller wipes.
    package init(copying bytes: UnsafeRawPointer, in memory: SecretMemory = .shared) {
        self.init(in: memory)
        unsafe slot.bytes.copyMemory(from: bytes, byteCount: Secret.byteCount)
    }

    /// 32 random bytes.
    package init(from entropy: Entropy, in memory: SecretMemory = .shared) {
        self.init(in: memory)
        unsafe entropy.fill(slot.bytes, Secret.byteCount)
    }

    deinit { memory.release(slot) }

    /// The 32 bytes, valid while this secret lives: for calls that take a key, never to be kept.
    package var bytes: UnsafeRawPointer { unsafe UnsafeRawPointer(slot.bytes) }

    /// The 32 bytes for writing, valid while this secret lives.
    package var mutableBytes: UnsafeMutableRawPointer {
        mutating get { unsafe slot.bytes }
    }

    /// Lends the bytes and keeps the secret alive meanwhile.
    @safe package func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(bytes)
    }

    /// A second secret with the same bytes: said aloud, because each copy has to be wiped too.
    package func copy() -> Secret { unsafe Secret(copying: slot.bytes, in: memory) }

    /// Puts zeros in place of the bytes before the secret's end.
    package mutating func wipe() { unsafe sodium_memzero(slot.bytes, Secret.byteCount) }

    /// Constant time.
    package func equals(_ other: borrowing Secret) -> Bool {
        unsafe ConstantTime.equal(slot.bytes, other.slot.bytes, count: Secret.byteCount)
    }

    /// Constant time.
    package var isZero: Bool { unsafe ConstantTime.isZero(slot.bytes, count: Secret.byteCount) }
}
