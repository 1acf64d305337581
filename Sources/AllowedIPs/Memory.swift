import Glibc

/// Room for elements that are plain bytes, in one piece that grows: little is left over, because a large piece grows by
/// moving pages, not bytes.
///
/// Indices are not checked in release builds: they come from the trie's own links.
@safe struct Memory<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {  // Sendable: has one owner
    private var elements: UnsafeMutablePointer<Element>?
    private(set) var capacity = 0
    /// How many elements there is something in.
    private(set) var count = 0

    deinit { unsafe free(elements) }

    var byteCount: Int { capacity * MemoryLayout<Element>.stride }

    /// Where an element is; good until the next one is added.
    func address(_ index: Int) -> UnsafeMutablePointer<Element> {
        assert(index < count)
        return unsafe elements.unsafelyUnwrapped + index
    }

    subscript(_ index: Int) -> Element {
        get { unsafe address(index).pointee }
        nonmutating set { unsafe address(index).pointee = newValue }
    }

    /// Adds elements at the end; the index of the first.
    mutating func add(_ element: Element, count added: Int = 1) -> Int {
        if count + added > capacity { grow(to: count + added) }
        unsafe (elements.unsafelyUnwrapped + count).initialize(repeating: element, count: added)
        defer { count += added }
        return count
    }

    /// Moves `moved` elements within it; the places may overlap.
    mutating func move(from: Int, to: Int, count moved: Int) {
        assert(max(from, to) + moved <= count)
        let start = unsafe elements.unsafelyUnwrapped
        unsafe memmove(start + to, start + from, moved * MemoryLayout<Element>.stride)
    }

    private mutating func grow(to needed: Int) {
        capacity = max(needed, capacity + capacity / 8)
        guard let larger = unsafe realloc(elements, byteCount) else { fatalError("no memory for prefixes") }
        unsafe elements = larger.assumingMemoryBound(to: Element.self)
        if byteCount >= Self.largeSize { unsafe askForLargePages(larger) }
    }

    /// From here on a walk through random places costs a miss of the TLB each.
    private static var largeSize: Int { 4 << 20 }

    private func askForLargePages(_ start: UnsafeMutableRawPointer) {
        let pageSize = Int(getpagesize())
        let first = unsafe start.alignedUp(toMultipleOf: pageSize)
        // A kernel without them goes on with small ones.
        _ = unsafe madvise(first, (byteCount - pageSize) / pageSize * pageSize, MADV_HUGEPAGE)
    }
}
