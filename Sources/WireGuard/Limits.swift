/// Bounds of our own.
package enum Limits {
    /// Peers of one interface (P-8.15).
    package static let peers = 1 << 20
    /// Time stamps of an interface that are remembered of peers that are not there; the oldest are forgotten (S-20).
    package static let rememberedStamps = peers
    /// A time stamp of an initiation so many seconds ahead of our clock is worth a word: once taken, all earlier ones are
    /// refused (S-20).
    static let futureStampSeconds: UInt64 = 600
    /// Packets kept for a peer while there is no session; the oldest gives way (P-4.13).
    package static let stagedPackets = 128
    /// The most datagrams in one run to the wire: what the kernel takes in one UDP_SEGMENT send.
    package static let datagramsPerRun = 64
    /// The most bytes in one run: the payload of the largest UDP datagram.
    package static let bytesPerRun = 65_507
    /// Initiations without a cookie that wait to be looked at; more are dropped. From an eighth of it on, senders have to
    /// show a cookie (P-3.9, P-3.10).
    package static let handshakeQueue = 4096
    /// Responses, and as many initiations with a cookie, that wait to be looked at; more are dropped.
    package static let vouchedHandshakeQueue = 1024
    package static let handshakeLoad = handshakeQueue / 8
    /// Addresses whose handshakes are counted under load; with more of them new ones are refused (P-3.12).
    package static let countedSources = 65_536
}
