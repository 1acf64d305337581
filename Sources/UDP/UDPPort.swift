import Pipeline

/// One worker's end of one interface on the wire: datagrams in, datagrams out.
///
/// A worker calls it from its own thread alone. Below it is a pair of sockets (`SocketPort`) or, in tests, a network
/// in memory under virtual time (`MemoryPort`). Nothing here throws: on the wire an error is a lost datagram, which is
/// counted by its reason and never ends a loop (P-6.9).
package protocol UDPPort: AnyObject {
    /// What to wait for with epoll, readable when there is something to receive. Empty in memory.
    var descriptors: [CInt] { get }

    /// Appends what has arrived, as much of it as the batch has room for once it is cut into datagrams: the
    /// `wirePackets` of a batch never exceed `PacketBatch.capacity`. What is left makes the descriptor ready again.
    ///
    /// Each packet is a run of datagrams from one sender (`datagramSize`, 0 for a single one), with its `path` and
    /// `trafficClass` set.
    func receive(into batch: inout PacketBatch)

    /// Sends every packet to its `path` in order, from the source in it where there is one, and empties the batch.
    ///
    /// A packet with a `datagramSize` is a run: the caller sees to it that it is at most `UDPLimits.runDatagrams`
    /// datagrams and `UDPLimits.runBytes` bytes. A source that is no longer ours is left out and told in the batch's
    /// `notices`.
    func send(_ batch: inout PacketBatch)

    /// Counters and drops as they stand.
    var report: StageReport { get }
}

/// What the kernel takes in one send or one message.
package enum UDPLimits {
    /// The most datagrams in a run: UDP_MAX_SEGMENTS of the kernels before 6.9.
    package static let runDatagrams = 64
    /// The most payload in one datagram over IPv4, and in a run of them.
    package static let runBytes = 65507
}
