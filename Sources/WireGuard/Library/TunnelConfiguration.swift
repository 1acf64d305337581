import Crypto

extension Tunnel {
    /// What may be set for a tunnel as a whole.
    public struct Configuration: Sendable {
        /// The MTU of the way inside the tunnel, in bytes: packets are padded to multiples of 16, but never beyond it.
        /// 1420 fits an IPv6 path of 1500; 0 sets no limit. Packets longer than it are sent all the same.
        public var mtu: UInt16
        /// Where keys, indices and jitter come from.
        public var randomness: Randomness

        /// The defaults fit the Internet.
        public init(mtu: UInt16 = 1420, randomness: Randomness = .system) {
            self.mtu = mtu
            self.randomness = randomness
        }
    }

    /// A source of random bytes.
    public struct Randomness: Sendable {
        let entropy: Entropy

        /// The operating system's generator.
        public static let system = Randomness(entropy: .system)

        /// The same bytes in the same order for the same seed, so that a simulation can be run again: never for a tunnel
        /// that has anything to hide.
        public static func predictableForTests(seed: UInt64) -> Randomness {
            Randomness(entropy: .predictableForTests(seed: seed))
        }
    }
}
