import Glibc
import Pipeline
import Wire

/// Why packets end at the TUN device. The first eleven are read from it and make no sense; the others it doesn't take.
package enum TUNDrop: Int, DropReason {
    case truncated
    case notIP
    case lyingLength
    case checksumRange
    case unknownOffload
    case segmentSize
    case checksumNotOwed
    case versionMismatch
    case fragment
    case transportHeader
    case datagramLength

    /// Its queue is full.
    case queueFull
    case linkDown
    case linkGone
    case refused
    case failed

    package var name: String {
        switch self {
        case .truncated: "truncated-frame"
        case .notIP: "not-ip"
        case .lyingLength: "lying-length"
        case .checksumRange: "checksum-out-of-range"
        case .unknownOffload: "unknown-offload"
        case .segmentSize: "segment-size-zero"
        case .checksumNotOwed: "segments-without-checksum"
        case .versionMismatch: "offload-of-other-version"
        case .fragment: "offloaded-fragment"
        case .transportHeader: "bad-transport-header"
        case .datagramLength: "bad-datagram-length"
        case .queueFull: "tun-queue-full"
        case .linkDown: "link-down"
        case .linkGone: "link-gone"
        case .refused: "refused-by-kernel"
        case .failed: "write-failed"
        }
    }

    init(_ fault: InnerPacket.Fault) {
        switch fault {
        case .tooShort: self = .truncated
        case .notIP: self = .notIP
        case .lyingLength: self = .lyingLength
        }
    }

    init(_ fault: Offload.Fault) {
        switch fault {
        case .notIP: self = .notIP
        case .checksumRange: self = .checksumRange
        case .unknownKind: self = .unknownOffload
        case .segmentSize: self = .segmentSize
        case .checksumNotOwed: self = .checksumNotOwed
        case .version: self = .versionMismatch
        case .fragment: self = .fragment
        case .transport, .transportHeader: self = .transportHeader
        case .datagramLength: self = .datagramLength
        }
    }

    /// For what a write came to that did not succeed.
    init(writing transfer: FrameTransfer) {
        switch transfer {
        case .wouldBlock, .failed(ENOBUFS), .failed(ENOMEM): self = .queueFull
        case .failed(EIO), .failed(ENETDOWN): self = .linkDown
        case .failed(EBADFD), .failed(EBADF), .failed(ENODEV): self = .linkGone
        case .failed(EINVAL), .failed(E2BIG), .failed(EMSGSIZE): self = .refused
        case .failed, .frame: self = .failed
        }
    }
}
