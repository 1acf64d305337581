import Crypto

/// Which receiver indices belong to which worker.
///
/// Indices are drawn at random from all 2³² (P-2.11, S-10). With several workers, one draws until a keyed hash of the
/// index names itself: a datagram then tells its owner without any table that workers would have to share, no two
/// workers can draw the same index, and without the key nobody sees which indices go together.
package struct IndexSpace: Sendable {
    package let workers: Int
    private let key: UInt64

    package init(workers: Int, entropy: Entropy) {
        self.workers = workers
        key = entropy.uint64() | 1
    }

    /// The worker that the index belongs to, 0…workers − 1.
    package func owner(of index: UInt32) -> Int {
        guard workers > 1 else { return 0 }
        // Multiply-shift hashing (Dietzfelbinger et al., 1997), then scaled from 32 bits to the number of workers.
        let hash = (UInt64(index) &+ 1) &* key
        return Int(((hash >> 32) &* UInt64(workers)) >> 32)
    }

    /// A fresh random index of `worker`'s for which `isFree` holds.
    func draw(worker: Int, entropy: Entropy, isFree: (UInt32) -> Bool) -> UInt32 {
        while true {
            let index = entropy.uint32()
            if owner(of: index) == worker, isFree(index) { return index }
        }
    }
}
