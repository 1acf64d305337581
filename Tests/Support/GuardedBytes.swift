import Glibc

/// Memory whose last byte is followed by a page that cannot be touched: whoever reads or writes behind the end crashes. Or
/// whose first byte is preceded by one.
@safe package struct GuardedBytes: ~Copyable {
    package enum Edge: Sendable { case front, end }

    private let memory: UnsafeMutableRawPointer
    private let size: Int
    /// The bytes, as many as were given.
    package let bytes: UnsafeMutableRawBufferPointer

    package init(_ contents: [UInt8], _ edge: Edge = .end) {
        let page = Int(sysconf(CInt(_SC_PAGESIZE)))
        size = (contents.count + page - 1) / page * page + page
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let start = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), unsafe start != MAP_FAILED
        else {
            fatalError("mmap: \(errno)")
        }
        unsafe memory = start
        let guardPage = unsafe edge == .front ? start : start + (size - page)
        guard unsafe mprotect(guardPage, page, PROT_NONE) == 0 else { fatalError("mprotect: \(errno)") }
        let first = unsafe edge == .front ? guardPage + page : guardPage - contents.count
        unsafe bytes = UnsafeMutableRawBufferPointer(start: first, count: contents.count)
        unsafe bytes.copyBytes(from: contents)
    }

    deinit { unsafe munmap(memory, size) }

    /// The bytes as they are now.
    package var contents: [UInt8] { unsafe Array(bytes) }
}
