import CSodium

/// A fixed room for bytes among which secrets are: wiped when it is emptied and when it goes.
@safe package struct WipedBytes: ~Copyable {
    private let storage: UnsafeMutableRawBufferPointer
    package private(set) var count = 0

    package init(capacity: Int) { unsafe storage = .allocate(byteCount: max(capacity, 1), alignment: 8) }

    deinit {
        unsafe sodium_memzero(storage.start, storage.count)
        unsafe storage.deallocate()
    }

    package var room: Int { unsafe storage.count - count }

    /// False, and no change, where they do not fit.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= room else { return false }
        if let start = bytes.baseAddress {
            unsafe (storage.start + count).copyMemory(from: start, byteCount: bytes.count)
        }
        count += bytes.count
        return true
    }

    /// Lends the free room to `fill`, which says how many bytes it has put there.
    package mutating func fill<Failure: Error>(
        _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        let filled = try unsafe fill(UnsafeMutableRawBufferPointer(rebasing: storage[count...]))
        precondition(filled >= 0 && filled <= room, "more than there is room for")
        count += filled
    }

    package mutating func wipe() {
        unsafe sodium_memzero(storage.start, count)
        count = 0
    }

    /// Lends what is there.
    @safe package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(storage)[..<count]))
    }
}
