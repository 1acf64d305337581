import CLinux
import Glibc
import Wire

/// What the kernel tells of a datagram beside its bytes, and is told: cmsg(3), with the sizes that its macros compute.
enum ControlMessage {
    /// Room for all that one message carries in either direction: source, traffic class, segment size, overflows.
    static let capacity = space(PacketInfoV6.size) + 3 * space(MemoryLayout<CInt>.size)

    /// struct cmsghdr, whose flexible array member Swift cannot take: length with header (size_t), level, type.
    enum Header {
        static let length = 0
        static let level = MemoryLayout<Int>.size
        static let type = level + MemoryLayout<CInt>.size
    }

    /// Bytes of the header in front of each value (CMSG_LEN(0)).
    static let headerSize = align(Header.type + MemoryLayout<CInt>.size)

    static func align(_ count: Int) -> Int {
        (count + MemoryLayout<Int>.alignment - 1) & ~(MemoryLayout<Int>.alignment - 1)
    }

    /// CMSG_SPACE.
    static func space(_ count: Int) -> Int { headerSize + align(count) }

    /// struct in_pktinfo: interface, the local address to answer from, the header's destination.
    enum PacketInfoV4 {
        static let size = 12
        static let interface = 0
        static let source = 4
    }

    /// struct in6_pktinfo: address, interface.
    enum PacketInfoV6 {
        static let size = 20
        static let address = 0
        static let interface = 16
    }
}

/// Fills the control memory of one message that is to be sent.
@safe struct ControlWriter {
    private let memory: UnsafeMutableRawPointer
    /// Bytes written, padding included: msg_controllen.
    private(set) var count = 0

    /// `memory` has `ControlMessage.capacity` bytes, aligned to 8.
    init(_ memory: UnsafeMutableRawPointer) { unsafe self.memory = unsafe memory }

    /// The address to send from, and the interface to send through unless it is 0.
    mutating func append(source: LocalAddress) {
        switch source.address.family {
        case .v4:
            let value = unsafe header(CInt(IPPROTO_IP), IP_PKTINFO, ControlMessage.PacketInfoV4.size)
            unsafe value.initializeMemory(as: UInt8.self, repeating: 0, count: ControlMessage.PacketInfoV4.size)
            unsafe value.storeBytes(
                of: source.interface, toByteOffset: ControlMessage.PacketInfoV4.interface, as: UInt32.self)
            unsafe source.address.store(to: value + ControlMessage.PacketInfoV4.source)
        case .v6:
            let value = unsafe header(CInt(IPPROTO_IPV6), IPV6_PKTINFO, ControlMessage.PacketInfoV6.size)
            unsafe source.address.store(to: value + ControlMessage.PacketInfoV6.address)
            unsafe value.storeBytes(
                of: source.interface, toByteOffset: ControlMessage.PacketInfoV6.interface, as: UInt32.self)
        }
    }

    /// The DS field and ECN bits of the outer header.
    mutating func append(trafficClass: UInt8, _ family: IPAddress.Family) {
        let (level, type) = family == .v4 ? (IPPROTO_IP, IP_TOS) : (IPPROTO_IPV6, IPV6_TCLASS)
        let value = unsafe header(CInt(level), type, MemoryLayout<CInt>.size)
        unsafe value.storeBytes(of: CInt(trafficClass), as: CInt.self)
    }

    /// The size that the kernel cuts the message into (UDP_SEGMENT, a u16).
    mutating func append(segmentSize: UInt16) {
        let value = unsafe header(
            CInt(IPPROTO_UDP), CInt(CLINUX_UDP_SEGMENT.rawValue), MemoryLayout<UInt16>.size)
        unsafe value.storeBytes(of: segmentSize, as: UInt16.self)
    }

    private mutating func header(_ level: CInt, _ type: CInt, _ size: Int) -> UnsafeMutableRawPointer {
        let start = unsafe memory + count
        unsafe start.storeBytes(
            of: ControlMessage.headerSize + size, toByteOffset: ControlMessage.Header.length, as: Int.self)
        unsafe start.storeBytes(of: level, toByteOffset: ControlMessage.Header.level, as: CInt.self)
        unsafe start.storeBytes(of: type, toByteOffset: ControlMessage.Header.type, as: CInt.self)
        count += ControlMessage.space(size)
        return unsafe start + ControlMessage.headerSize
    }
}

/// What the control data of one received message says.
struct ReceivedControl {
    /// The address it was sent to and the interface it came in by.
    var local: LocalAddress?
    var trafficClass: UInt8 = 0
    /// The length of each datagram in the message but the last; 0 when it is a single one (UDP_GRO, an int).
    var segmentSize = 0
    /// How many messages the socket had had no room for by then, if any (SO_RXQ_OVFL).
    var overflows: UInt32 = 0

    /// Reads `count` bytes that the kernel has written; what it does not know it skips.
    init(_ memory: UnsafeRawPointer, count: Int) {
        var offset = 0
        while offset + ControlMessage.headerSize <= count {
            let message = unsafe memory + offset
            let length = unsafe message.loadUnaligned(fromByteOffset: ControlMessage.Header.length, as: Int.self)
            guard length >= ControlMessage.headerSize, length <= count - offset else { return }
            let level = unsafe message.loadUnaligned(fromByteOffset: ControlMessage.Header.level, as: CInt.self)
            let type = unsafe message.loadUnaligned(fromByteOffset: ControlMessage.Header.type, as: CInt.self)
            let size = length - ControlMessage.headerSize
            unsafe take(level, type, message + ControlMessage.headerSize, size)
            offset += ControlMessage.space(size)
        }
    }

    private mutating func take(_ level: CInt, _ type: CInt, _ value: UnsafeRawPointer, _ size: Int) {
        switch (level, type) {
        case (CInt(IPPROTO_IP), IP_PKTINFO) where size >= ControlMessage.PacketInfoV4.size:
            local = unsafe LocalAddress(
                address: IPAddress(v4At: value + ControlMessage.PacketInfoV4.source),
                interface: value.loadUnaligned(
                    fromByteOffset: ControlMessage.PacketInfoV4.interface, as: UInt32.self))
        case (CInt(IPPROTO_IPV6), IPV6_PKTINFO) where size >= ControlMessage.PacketInfoV6.size:
            local = unsafe LocalAddress(
                address: IPAddress(v6At: value + ControlMessage.PacketInfoV6.address),
                interface: value.loadUnaligned(
                    fromByteOffset: ControlMessage.PacketInfoV6.interface, as: UInt32.self))
        case (CInt(IPPROTO_IP), IP_TOS) where size >= 1:
            trafficClass = unsafe value.load(as: UInt8.self)
        case (CInt(IPPROTO_IPV6), IPV6_TCLASS) where size >= MemoryLayout<CInt>.size:
            trafficClass = UInt8(truncatingIfNeeded: unsafe value.loadUnaligned(as: CInt.self))
        case (CInt(IPPROTO_UDP), CInt(CLINUX_UDP_GRO.rawValue)) where size >= MemoryLayout<CInt>.size:
            segmentSize = max(0, Int(unsafe value.loadUnaligned(as: CInt.self)))
        case (SOL_SOCKET, SO_RXQ_OVFL) where size >= MemoryLayout<UInt32>.size:
            overflows = unsafe value.loadUnaligned(as: UInt32.self)
        default:
            break
        }
    }
}
