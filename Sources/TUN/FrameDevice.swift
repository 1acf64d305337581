import CLinux

/// Where IP packets enter and leave: each frame is a virtio header (10 bytes) and one packet.
///
/// One worker uses it, from one thread. Real devices are `TUNDevice`, for tests there is `MemoryTUN`.
package protocol FrameDevice: AnyObject {
    /// What to wait on until a frame can be read; nil when there is nothing to wait on.
    var descriptor: CInt? { get }
    /// What the other side may leave undone in what it hands over.
    var offloads: TUNOffloads { get }

    /// Reads one frame, which `memory` has room for: 10 bytes and 65,535 or more.
    func read(into memory: UnsafeMutableRawBufferPointer) -> FrameTransfer
    /// Writes one frame, gathered from `pieces` in their order, of which the first is the header and nothing else.
    func write(_ pieces: UnsafeBufferPointer<iovec>) -> FrameTransfer
}

/// What came of reading or writing a frame.
package enum FrameTransfer: Equatable, Sendable {
    /// So many bytes, header included.
    case frame(Int)
    /// Nothing to read, or no room to write, for now.
    case wouldBlock
    /// The kernel's error number.
    case failed(CInt)
}

/// What a TUN device's reader is willing to do itself: the bits of TUNSETOFFLOAD.
package struct TUNOffloads: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ bit: clinux_tun_offload) { self.init(rawValue: bit.rawValue) }

    /// Complete transport checksums. The others need it.
    package static let checksum = TUNOffloads(CLINUX_TUN_CSUM)
    /// Cut TCP super-packets, over IPv4 and IPv6.
    package static let tso4 = TUNOffloads(CLINUX_TUN_TSO4)
    package static let tso6 = TUNOffloads(CLINUX_TUN_TSO6)
    /// Cut UDP super-packets. Kernels from 6.2 on have these two, and only together.
    package static let uso: TUNOffloads = [TUNOffloads(CLINUX_TUN_USO4), TUNOffloads(CLINUX_TUN_USO6)]

    package static let tcp: TUNOffloads = [.checksum, .tso4, .tso6]
    package static let all: TUNOffloads = [.tcp, .uso]
}
