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

    /// Packets that one worker reads and another one owns: all their buffers end at the owner's pool.
    @Test(arguments: Buffer.Size.allCases)
    func buffersOfAnotherPoolDoNotPileUp(size: Buffer.Size) {
        let (reader, owner) = (BufferPool(), BufferPool())
        for _ in 0..<100 {
            let own = owner.take(size)
            let other = reader.take(size)
            owner.recycle(other)
            owner.recycle(own)
        }
        // As many as it has had to give out at once, not the hundred of the other.
        #expect(allocations(owner, 50, size) == 49)
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
}
