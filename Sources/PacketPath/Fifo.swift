/// First in, first out, in a ring that grows to what was needed at once and stays.
struct Fifo<Element> {
    private var ring: ContiguousArray<Element?> = []
    private var start = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    var first: Element? { count > 0 ? ring[start] : nil }

    mutating func append(_ element: Element) {
        if count == ring.count { grow() }
        ring[(start + count) % ring.count] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        defer {
            ring[start] = nil
            start = (start + 1) % ring.count
            count -= 1
        }
        return ring[start]
    }

    private mutating func grow() {
        var larger = ContiguousArray<Element?>()
        larger.reserveCapacity(max(64, 2 * ring.count))
        for index in 0..<count { larger.append(ring[(start + index) % ring.count]) }
        while larger.count < larger.capacity { larger.append(nil) }
        ring = larger
        start = 0
    }
}
