import Crypto

/// Which receiver indices belong to which worker.
///
/// Indices are drawn at random from all 2³² (P-2.11, S-10). With several workers, one draws until a keyed hash of the
/// index names itself: a datagram then tells its owner without any table that workers would have to share, no two
/// workers can draw the same index, and without the key nobody sees which indices go together.
package struct IndexSpace: Sendable {
    package let workers: Int
    /// Odd, so that no two indices collide before the upper bits are taken.
    package let key: UInt32

    package init(workers: Int, entropy: Entropy) {
        self.workers = workers
        key = entropy.uint32() | 1
    }

    /// The worker that the index belongs to, 0…workers − 1.
    ///
    /// Multiplicative hashing of the four bytes as they stand in a message, read in network order: a socket filter of
    /// the kernel can compute it as well, and does (`UDPSteering`).
    package func owner(of index: UInt32) -> Int {
        guard workers > 1 else { return 0 }
        return Int(((index.byteSwapped &* key) >> Self.shift) % UInt32(workers))
    }

    /// The upper 16 bits of the product are its well mixed ones.
    package static let shift: UInt32 = 16

    /// A fresh random index of `worker`'s for which `isFree` holds.
    func draw(worker: Int, entropy: Entropy, isFree: (UInt32) -> Bool) -> UInt32 {
        while true {
            let index = entropy.uint32()
            if owner(of: index) == worker, isFree(index) { return index }
        }
    }
}
