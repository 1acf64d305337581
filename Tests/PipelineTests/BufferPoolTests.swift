import Pipeline
import Testing

struct BufferPoolTests {
    private func allocations(_ pool: BufferPool, _ count: Int, _ size: Buffer.Size) -> Int {
        let before = pool.allocations
        for _ in 0..<count { _ = pool.take(size) }
        return pool.allocations - before
    }

    @Test(arguments: Buffer.Size.allCases)
    func whatComesBackIsGivenOutAgain(size: Buffer.Size) {
        let pool = BufferPool()
        for _ in 0..<3 {
            let a = pool.take(size)
            let b = pool.take(size)
            pool.recycle(a)
            pool.recycle(b)
        }
        #expect(pool.allocations == 2)
    }

    @Test(arguments: Buffer.Size.allCases)
    func noMoreThanTheBoundIsKept(size: Buffer.Size) {
        let pool = BufferPool(smallBound: 2, largeBound: 2)
        let a = pool.take(size)
        let b = pool.take(size)
        let c = pool.take(size)
        pool.recycle(a)
        pool.recycle(b)
        pool.recycle(c)
        #expect(allocations(pool, 3, size) == 1)
    }

    @Test func aWarmPoolHasAllItMayKeepAndAllocatesNothing() {
        let pool = BufferPool(smallBound: 3, largeBound: 2)
        pool.recycle(Buffer(.small))
        pool.warm()
        #expect(pool.allocations == 0)
        #expect(allocations(pool, 4, .small) == 1)
        #expect(allocations(pool, 3, .large) == 1)
    }

    /// Two workers that send each other as much as they get need no new buffers.
    @Test func buffersThatAreTradedStay() {
        let (a, b) = (BufferPool(), BufferPool())
        for _ in 0..<100 {
            let one = a.take(.small)
            let other = b.take(.small)
            a.recycle(other)
            b.recycle(one)
        }
        #expect(a.allocations == 1 && b.allocations == 1)
    }

    @Test func aBufferOfOneSizeIsNeverGivenForTheOther() {
        let pool = BufferPool()
        pool.recycle(pool.take(.large))
        let small = pool.take(.small)
        let first = small.size
        #expect(first == .small && pool.allocations == 2)
        pool.recycle(small)
        let large = pool.take(.large)
        let second = large.size
        #expect(second == .large && pool.allocations == 2)
    }

    /// How packets that are handed over leave neither worker with fewer buffers, nor with more.
    @Test(arguments: Buffer.Size.allCases)
    func buffersThatWereHandedOverGoBackToWhereTheyCameFrom(size: Buffer.Size) {
        let (reader, owner, way) = (BufferPool(), BufferPool(), BufferPool())
        for _ in 0..<100 {
            let one = reader.take(size)
            let two = reader.take(size)
            owner.recycle(one)
            owner.recycle(two)
            owner.give(2, size, to: way)
            way.give(.max, size, to: reader)
        }
        #expect(reader.allocations == 2)
        #expect(owner.allocations == 0)
        #expect(allocations(owner, 1, size) == 1, "none has stayed")
        #expect(allocations(way, 1, size) == 1)
    }

    @Test func whatIsGivenAwayIsNeverMadeForItAndTheBoundHolds() {
        let (pool, other) = (BufferPool(), BufferPool(smallBound: 3, largeBound: 0))
        for _ in 0..<5 { pool.recycle(Buffer(.small)) }
        pool.give(100, .large, to: other)
        pool.give(.max, .small, to: other)
        #expect(pool.allocations == 0)
        #expect(allocations(other, 5, .small) == 2)
        #expect(allocations(pool, 1, .small) == 1)
    }
}
