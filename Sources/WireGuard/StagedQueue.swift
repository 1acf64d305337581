/// What waits for a session: a bounded queue that gives up its oldest element for a new one (P-4.13).
///
/// Storage is made with the first element and freed when the queue runs empty, so that an idle peer costs a few words.
@safe package struct StagedQueue<Element: ~Copyable>: ~Copyable {
    private let bound: Int
    private var storage: UnsafeMutablePointer<Element>?
    private var first = 0
    package private(set) var count = 0

    package init(bound: Int = Limits.stagedPackets) { self.bound = bound }

    deinit {
        guard let storage = unsafe storage else { return }
        for step in 0..<count { unsafe (storage + (first + step) % bound).deinitialize(count: 1) }
        unsafe storage.deallocate()
    }

    package var isEmpty: Bool { count == 0 }

    /// Appends, and returns the oldest element when it had to give way.
    package mutating func append(_ element: consuming Element) -> Element? {
        let memory: UnsafeMutablePointer<Element>
        if let storage = unsafe storage {
            unsafe memory = storage
        } else {
            unsafe memory = .allocate(capacity: bound)
            unsafe storage = memory
        }
        guard count == bound else {
            unsafe (memory + (first + count) % bound).initialize(to: element)
            count += 1
            return nil
        }
        let oldest = unsafe (memory + first).move()
        unsafe (memory + first).initialize(to: element)
        first = (first + 1) % bound
        return oldest
    }

    /// Puts what was just taken back to the front. There is room: it was here before.
    package mutating func putBack(_ element: consuming Element) {
        guard let memory = unsafe storage else {
            _ = append(element)
            return
        }
        precondition(count < bound)
        first = (first + bound - 1) % bound
        unsafe (memory + first).initialize(to: element)
        count += 1
    }

    /// The oldest element.
    package mutating func popFirst() -> Element? {
        guard count > 0, let memory = unsafe storage else { return nil }
        let oldest = unsafe (memory + first).move()
        first = (first + 1) % bound
        count -= 1
        if count == 0 {
            unsafe memory.deallocate()
            unsafe storage = nil
            first = 0
        }
        return oldest
    }
}
