import Glibc

/// Looks through the memory of this process for what should not be there.
///
/// What it looks for stands in a mapping of its own, which it leaves out, so that the search finds no copies of its own making.
@safe package final class MemoryScan {
    package static let needleSize = 32
    private static let needleBound = 4096
    private static let chunkSize = 1 << 20

    private let own: UnsafeMutableRawPointer
    private let memory: CInt
    private var needles = 0

    private var size: Int { Self.needleBound * Self.needleSize + Self.chunkSize }
    private var chunk: UnsafeMutableRawPointer { unsafe own + Self.needleBound * Self.needleSize }

    package init() {
        let size = Self.needleBound * Self.needleSize + Self.chunkSize
        unsafe own = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        memory = unsafe open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
        precondition(unsafe own != MAP_FAILED && memory >= 0, "no memory, or none to look at")
    }

    deinit {
        unsafe munmap(own, size)
        close(memory)
    }

    /// Looks for these 32 bytes from now on, unless they are mostly zeros.
    package func look(for bytes: UnsafeRawPointer) {
        let octets = unsafe UnsafeRawBufferPointer(start: bytes, count: Self.needleSize)
        guard unsafe octets.count(where: { $0 == 0 }) < 8 else { return }
        precondition(needles < Self.needleBound, "too many needles")
        unsafe (own + needles * Self.needleSize).copyMemory(from: bytes, byteCount: Self.needleSize)
        needles += 1
    }

    package var count: Int { needles }

    /// A copy of one of them, to see that it is found.
    package func copyNeedle(to destination: UnsafeMutableRawPointer) {
        unsafe destination.copyMemory(from: own, byteCount: Self.needleSize)
    }

    /// Where they are but for `excluded`: in all memory that may be written, whatever it is for.
    package func find(excluding excluded: [Range<UInt>]) -> [UInt] {
        var found: [UInt] = []
        let start = unsafe UInt(bitPattern: own)
        let spared = excluded + [start..<start + UInt(size)]
        for mapping in Self.writableMappings() {
            var address = mapping.lowerBound
            while address < mapping.upperBound {
                let wanted = min(UInt(Self.chunkSize), mapping.upperBound - address)
                let read = unsafe pread(memory, chunk, Int(wanted), off_t(Int(bitPattern: address)))
                guard read > Self.needleSize else { break }
                search(read, at: address) { hit in
                    if !spared.contains(where: { $0.contains(hit) }) { found.append(hit) }
                }
                // The next chunk begins before the end of this one, for what lies across.
                guard wanted == UInt(Self.chunkSize) else { break }
                address += UInt(read - Self.needleSize + 1)
            }
        }
        // What was read last is not ours to keep.
        unsafe memset(chunk, 0, Self.chunkSize)
        return found
    }

    private func search(_ count: Int, at address: UInt, _ hit: (UInt) -> Void) {
        for number in 0..<needles {
            let needle = unsafe own + number * Self.needleSize
            let first = unsafe CInt(needle.load(as: UInt8.self))
            let end = count - Self.needleSize
            var offset = 0
            while offset <= end, let place = unsafe memchr(chunk + offset, first, end - offset + 1) {
                let distance = unsafe UnsafeRawPointer(place) - UnsafeRawPointer(chunk)
                if unsafe memcmp(place, needle, Self.needleSize) == 0 { hit(address + UInt(distance)) }
                offset = distance + 1
            }
        }
    }

    private static func writableMappings() -> [Range<UInt>] {
        guard let file = unsafe fopen("/proc/self/maps", "re") else { return [] }
        defer { unsafe fclose(file) }
        var mappings: [Range<UInt>] = []
        var line = [CChar](repeating: 0, count: 1024)
        while unsafe fgets(&line, CInt(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let fields = text.split(separator: " ")
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, fields[1].hasPrefix("rw") else { continue }
            mappings.append(ends[0]..<ends[1])
        }
        return mappings
    }
}
