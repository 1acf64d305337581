import CSodium
import Locking

/// The one place where secrets get their memory: regions of 32-byte slots, each wiped when it comes back.
///
/// A region is locked into memory as far as the process may, and in no core dump. It is never returned while this object
/// lives, so a wiped slot can be looked at.
package final class SecretMemory: Sendable {
    /// Where secrets live unless told otherwise.
    package static let shared = SecretMemory()

    package static let slotSize = 32
    /// Each region is as large as all before it together, between these: a small router locks 64 KiB, and one of 100,000
    /// peers does with a dozen regions.
    private static let smallestRegion = 64 << 10
    private static let largestRegion = 8 << 20
    private static let pageSize = 4096

    /// One secret's bytes. Sendable: a slot has one owner, the `Secret` that holds it.
    @safe package struct Slot: @unchecked Sendable {
        package let bytes: UnsafeMutableRawPointer
    }

    private struct Region {
        let start: Slot
        let size: Int
    }

    private struct Regions {
        var all: [Region] = []
        /// Bytes of the last region that were never given out.
        var room = 0
        var free: [Slot] = []
        var total = 0
        var unlocked = 0
    }

    private let regions = Guarded(Regions())

    package init() {}

    deinit {
        regions.withLock { regions in
            for region in regions.all {
                unsafe sodium_munlock(region.start.bytes, region.size)
                unsafe region.start.bytes.deallocate()
            }
        }
    }

    /// How many bytes there are for secrets, and how many of them may be written to a swap device, because RLIMIT_MEMLOCK did
    /// not allow more.
    package var size: (total: Int, unlocked: Int) { regions.withLock { ($0.total, $0.unlocked) } }

    /// Makes room for so many secrets at once, so that it is known whether they can be locked.
    package func reserve(_ count: Int) {
        regions.withLock { regions in
            while regions.free.count + regions.room / Self.slotSize < count { Self.grow(&regions) }
        }
    }

    /// Where secrets are, free slots included, for those who look whether they are anywhere else.
    package var ranges: [Range<UInt>] {
        regions.withLock { regions in
            regions.all.map { region in
                let start = unsafe UInt(bitPattern: region.start.bytes)
                return start..<start + UInt(region.size)
            }
        }
    }

    /// A slot of zeros.
    func allocate() -> Slot {
        regions.withLock { regions in
            if let slot = regions.free.popLast() { return slot }
            if regions.room == 0 { Self.grow(&regions) }
            guard let region = regions.all.last else { fatalError("no memory for secrets") }
            defer { regions.room -= Self.slotSize }
            return unsafe Slot(bytes: region.start.bytes + (region.size - regions.room))
        }
    }

    /// Wipes the slot and keeps it for the next secret.
    func release(_ slot: Slot) {
        unsafe sodium_memzero(slot.bytes, SecretMemory.slotSize)
        regions.withLock { $0.free.append(slot) }
    }

    private static func grow(_ regions: inout Regions) {
        // What is left of the last region is not forgotten.
        if let last = regions.all.last {
            while regions.room > 0 {
                unsafe regions.free.append(Slot(bytes: last.start.bytes + (last.size - regions.room)))
                regions.room -= slotSize
            }
        }
        let size = min(max(regions.total, smallestRegion), largestRegion)
        // Vectorised code reads on behind the last secret.
        let start = UnsafeMutableRawPointer.allocate(byteCount: size + AEAD.keySlack, alignment: pageSize)
        unsafe start.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        if unsafe sodium_mlock(start, size) != 0 { regions.unlocked += size }
        regions.all.append(Region(start: unsafe Slot(bytes: start), size: size))
        regions.total += size
        regions.room = size
    }
}
