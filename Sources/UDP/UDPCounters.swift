import Pipeline

/// Why a datagram was not received or not sent.
package enum UDPDrop: Int, DropReason {
    /// Received: longer than the buffer, or its control data did not fit.
    case truncated
    /// Received: a run of more datagrams than a batch holds; no peer of ours makes one.
    case runTooLong
    /// Received: no room was left in the socket's buffer, because this worker was too slow. Messages, not datagrams.
    case receiveQueueFull
    /// To send: the peer's endpoint is of a family that this host has no socket for (S-17).
    case noSocket
    /// To send: the packet has no endpoint.
    case noEndpoint
    /// To send: the socket's buffer is full. The link is slower than what comes in, and drops as a link does.
    case sendBufferFull
    /// To send: ENETUNREACH, EHOSTUNREACH, ENETDOWN.
    case unreachable
    /// To send: EPERM, EACCES: a firewall's or a policy's doing.
    case notPermitted
    /// To send: EMSGSIZE for a single datagram.
    case tooLarge
    /// To send: ENOBUFS, ENOMEM.
    case noMemory
    /// To send: any other error.
    case sendError

    package var name: String {
        switch self {
        case .truncated: "truncated"
        case .runTooLong: "run-too-long"
        case .receiveQueueFull: "receive-queue-full"
        case .noSocket: "no-socket"
        case .noEndpoint: "no-endpoint"
        case .sendBufferFull: "send-buffer-full"
        case .unreachable: "unreachable"
        case .notPermitted: "not-permitted"
        case .tooLarge: "too-large"
        case .noMemory: "no-memory"
        case .sendError: "send-error"
        }
    }
}

/// What one port has moved and lost.
package struct UDPCounters {
    var datagramsIn: UInt64 = 0
    var bytesIn: UInt64 = 0
    var datagramsOut: UInt64 = 0
    var bytesOut: UInt64 = 0
    /// Errors that a receive has met, a peer's closed port for one (S-33).
    var receiveErrors: UInt64 = 0
    /// Runs that went out as single datagrams after the kernel had refused them whole.
    var segmentationFallbacks: UInt64 = 0
    /// Sends that went out without their source, which is no longer ours.
    var sourceFallbacks: UInt64 = 0
    var drops = DropCounters<UDPDrop>()

    mutating func countIn(_ packet: borrowing Packet) {
        datagramsIn &+= UInt64(packet.wirePackets)
        bytesIn &+= UInt64(packet.count)
    }

    mutating func countOut(datagrams: Int, bytes: Int) {
        datagramsOut &+= UInt64(datagrams)
        bytesOut &+= UInt64(bytes)
    }

    var report: StageReport {
        StageReport(Self.declared, of: self, drops: drops.report)
    }

    package static let declared: [Counter<UDPCounters>] = [
        Counter("datagrams-in", "datagrams that were received") { $0.datagramsIn },
        Counter("bytes-in", "their bytes") { $0.bytesIn },
        Counter("datagrams-out", "datagrams that were sent") { $0.datagramsOut },
        Counter("bytes-out", "their bytes") { $0.bytesOut },
        Counter("receive-errors", "errors that receiving has met, a peer's closed port for one") { $0.receiveErrors },
        Counter("segmentation-fallbacks", "runs that the kernel refused whole and that were sent one by one") {
            $0.segmentationFallbacks
        },
        Counter("source-fallbacks", "datagrams sent without their source address, which is no longer ours") {
            $0.sourceFallbacks
        },
    ]
}
