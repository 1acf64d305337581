internal import Crypto
import Glibc

/// The text of a secret on its way from a file, wiped when it is let go of.
@safe struct WipedText: ~Copyable {
    private let storage: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(capacity: Int) { unsafe storage = .allocate(byteCount: capacity, alignment: 1) }

    deinit {
        unsafe explicit_bzero(storage.baseAddress.unsafelyUnwrapped, storage.count)
        unsafe storage.deallocate()
    }

    /// Reads the file up to the capacity.
    mutating func fill(from file: borrowing OpenFile) throws(FileProblem) {
        count = try unsafe file.read(into: storage)
    }

    /// The key that is all of the text but blanks around it; nil for anything else.
    func key() -> Secret? {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
        var start = 0
        var end = count
        while start < end, unsafe isBlank(storage[start]) { start += 1 }
        while end > start, unsafe isBlank(storage[end - 1]) { end -= 1 }
        return unsafe Secret(.base64, UnsafeRawBufferPointer(rebasing: storage[start..<end]))
    }
}
