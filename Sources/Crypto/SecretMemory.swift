import CSodium
import Synchronization

/// The one place where secrets get their memory: pages of 32-byte slots, each wiped when it comes back.
///
/// A page is never returned while this object lives, so a wiped slot can be looked at (and pages can be locked into
/// memory here, for all secrets at once).
package final class SecretMemory: Sendable {
    /// Where secrets live unless told otherwise.
    package static let shared = SecretMemory()

    package static let slotSize = 32
    private static let pageSize = 4096

    /// One secret's bytes. Sendable: a slot has one owner, the `Secret` that holds it.
    @safe package struct Slot: @unchecked Sendable {
        package let bytes: UnsafeMutableRawPointer
    }

    private struct Pages {
        var starts: [Slot] = []
        var free: [Slot] = []
    }

    private let pages = Mutex(Pages())

    package init() {}

    deinit {
        pages.withLock { pages in
            for page in pages.starts { unsafe page.bytes.deallocate() }
        }
    }

    /// A slot of zeros.
    func allocate() -> Slot {
        pages.withLock { pages in
            if let slot = pages.free.popLast() { return slot }
            let page = UnsafeMutableRawPointer.allocate(
                byteCount: SecretMemory.pageSize, alignment: SecretMemory.pageSize)
            unsafe page.initializeMemory(as: UInt8.self, repeating: 0, count: SecretMemory.pageSize)
            unsafe pages.starts.append(Slot(bytes: page))
            for offset in stride(from: SecretMemory.slotSize, to: SecretMemory.pageSize, by: SecretMemory.slotSize) {
                unsafe pages.free.append(Slot(bytes: page + offset))
            }
            return unsafe Slot(bytes: page)
        }
    }

    /// Wipes the slot and keeps it for the next secret.
    func release(_ slot: Slot) {
        unsafe sodium_memzero(slot.bytes, SecretMemory.slotSize)
        pages.withLock { $0.free.append(slot) }
    }
}
