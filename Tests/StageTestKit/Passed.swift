import Wire

/// A packet that a stage has let go, and when.
package struct Passed: Sendable, Equatable {
    package var packet: TestPacket
    package var peer: PeerID
    package var interface: InterfaceID
    package var moment: Instant
}

extension [Passed] {
    package var packets: [TestPacket] { map(\.packet) }
    package var peers: [PeerID] { map(\.peer) }
    package var moments: [Instant] { map(\.moment) }
    /// How many packets these are on the wire.
    package var wirePackets: Int { reduce(0) { $0 + $1.packet.wirePackets } }
}
