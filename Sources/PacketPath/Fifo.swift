/// First in, first out, in a ring that grows to what was needed at once and stays.
struct Fifo<Element> {
    private var ring: ContiguousArray<Element?> = []
    private var first = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) {
        if count == ring.count { grow() }
        ring[(first + count) % ring.count] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        defer {
            ring[first] = nil
            first = (first + 1) % ring.count
            count -= 1
        }
        return ring[first]
    }

    private mutating func grow() {
        var larger = ContiguousArray<Element?>()
        larger.reserveCapacity(max(64, 2 * ring.count))
        for index in 0..<count { larger.append(ring[(first + index) % ring.count]) }
        while larger.count < larger.capacity { larger.append(nil) }
        ring = larger
        first = 0
    }
}
