import Wire

/// The destinations whose runs the kernel has refused to cut, so that the next ones go as single datagrams at once.
///
/// One destination's small MTU or old network card says nothing of another's, and its route may change: an
/// entry is forgotten after a while. The table is direct-mapped: two destinations of one slot push each other out, at
/// the price of a refused send.
package struct SegmentationFallback {
    /// The most destinations remembered.
    package static let bound = 256
    /// How long before a run is tried again.
    package static let lifetime = Interval.seconds(120)

    private struct Entry {
        let destination: IPAddress
        /// Runs of datagrams this long or longer are not sent whole.
        var size: Int
        var end: Instant
    }

    private var entries = ContiguousArray<Entry?>(repeating: nil, count: bound)
    private var isEmpty = true

    package init() {}

    /// Whether a run of datagrams of `size` bytes to `destination` is better sent one by one.
    package func refuses(_ destination: IPAddress, size: Int, now: Instant) -> Bool {
        guard !isEmpty, let entry = entries[slot(destination)] else { return false }
        return entry.destination == destination && size >= entry.size && now < entry.end
    }

    /// Remembers that a run of datagrams of `size` bytes did not go; 0 when no size would.
    package mutating func remember(_ destination: IPAddress, size: Int, now: Instant) {
        isEmpty = false
        let end = now + Self.lifetime
        let slot = slot(destination)
        if let entry = entries[slot], entry.destination == destination, now < entry.end {
            entries[slot] = Entry(destination: destination, size: min(entry.size, size), end: end)
        } else {
            entries[slot] = Entry(destination: destination, size: size, end: end)
        }
    }

    /// Hashed with the process's random seed, so that nobody outside can aim at one slot.
    private func slot(_ destination: IPAddress) -> Int {
        Int(UInt(bitPattern: destination.hashValue) % UInt(Self.bound))
    }
}
