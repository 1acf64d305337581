import CLinux
import Glibc
import Linux
import Wire

/// One queue of a TUN interface. The interface lives for as long as one of its queues is open.
package final class TUNDevice: FrameDevice, Sendable {
    /// The interface's name.
    package let name: String
    package let offloads: TUNOffloads
    private let file: FileDescriptor
    /// Whether the kernel puts virtio headers in front of packets. For a device that somebody else has made without, they
    /// are put there and taken off here.
    private let hasHeaders: Bool

    init(name: String, offloads: TUNOffloads, hasHeaders: Bool = true, file: consuming FileDescriptor) {
        self.name = name
        self.offloads = offloads
        self.hasHeaders = hasHeaders
        self.file = file
    }

    package var descriptor: CInt? { file.rawValue }

    package func read(into memory: UnsafeMutableRawBufferPointer) -> FrameTransfer {
        guard !hasHeaders else {
            return transfer { unsafe Glibc.read(file.rawValue, memory.baseAddress, memory.count) }
        }
        let packet = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[VirtioHeader.length...])
        unsafe VirtioHeader().store(to: memory.baseAddress.unsafelyUnwrapped)
        switch transfer({ unsafe Glibc.read(file.rawValue, packet.baseAddress, packet.count) }) {
        case .frame(let count): return .frame(count + VirtioHeader.length)
        case let other: return other
        }
    }

    package func write(_ pieces: UnsafeBufferPointer<iovec>) -> FrameTransfer {
        guard !hasHeaders else {
            return transfer { unsafe writev(file.rawValue, pieces.baseAddress, CInt(truncatingIfNeeded: pieces.count)) }
        }
        // The header is a piece of its own, the first.
        let packet = unsafe UnsafeBufferPointer(rebasing: pieces.dropFirst())
        return transfer { unsafe writev(file.rawValue, packet.baseAddress, CInt(truncatingIfNeeded: packet.count)) }
    }

    @inline(__always)
    private func transfer(_ call: () -> Int) -> FrameTransfer {
        while true {
            let count = call()
            if count >= 0 { return .frame(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let number: return .failed(number)
            }
        }
    }
}

extension TUNDevice {
    /// The most queues of an interface: the kernel's MAX_TAP_QUEUES.
    package static let queueBound = 256

    /// Creates the interface `name`, which must not exist, and opens `queues` queues of it.
    ///
    /// It asks for as many of `offloads` as the kernel has (see `offloads` of the result). An empty name, or one
    /// with `%d`, lets the kernel choose.
    package static func open(
        name: String, queues: Int = 1, offloads: TUNOffloads = .all
    ) throws(TUNError) -> [TUNDevice] {
        precondition(queues >= 1 && queues <= queueBound)
        var flags = CLINUX_TUN_LAYER3.rawValue | CLINUX_TUN_NO_PI.rawValue | CLINUX_TUN_VNET_HDR.rawValue
        if queues > 1 { flags |= CLINUX_TUN_MULTI_QUEUE.rawValue }

        // Without EXCL a second router would silently take over one of two queues and get half of the packets.
        let first = try openDescriptor()
        let name = try attach(first, name: name, flags: flags | CLINUX_TUN_EXCLUSIVE.rawValue)
        let granted = try negotiate(first, name, offloads)
        var devices = [TUNDevice(name: name, offloads: granted, file: first)]
        for _ in 1..<queues {
            let file = try openDescriptor()
            _ = try attach(file, name: name, flags: flags)
            devices.append(TUNDevice(name: name, offloads: granted, file: file))
        }
        return devices
    }

    private static func openDescriptor() throws(TUNError) -> FileDescriptor {
        do {
            return try FileDescriptor.open("/dev/net/tun", O_RDWR | O_NONBLOCK)
        } catch {
            throw .unavailable(error)
        }
    }

    /// TUNSETIFF, and the size of the header; gives the interface's name.
    private static func attach(
        _ file: borrowing FileDescriptor, name: String, flags: UInt32
    ) throws(TUNError) -> String {
        guard name.utf8.count < Int(IFNAMSIZ), !name.utf8.contains(0) else { throw .invalidName(name) }
        var request = unsafe ifreq()
        unsafe withUnsafeMutableBytes(of: &request.ifr_ifrn.ifrn_name) { unsafe $0.copyBytes(from: name.utf8) }
        unsafe request.ifr_ifru.ifru_flags = Int16(truncatingIfNeeded: flags)
        guard unsafe ioctl(file.rawValue, UInt(CLINUX_TUNSETIFF.rawValue), &request) == 0 else {
            throw TUNError(creating: name, .last("TUNSETIFF"))
        }
        let given = unsafe withUnsafeBytes(of: &request.ifr_ifrn.ifrn_name) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        var size = CInt(VirtioHeader.length)
        guard unsafe ioctl(file.rawValue, UInt(CLINUX_TUNSETVNETHDRSZ.rawValue), &size) == 0 else {
            throw .refused(given, .last("TUNSETVNETHDRSZ"))
        }
        return given
    }

    /// TUNSETOFFLOAD with as many of `wanted` as the kernel takes.
    static func negotiate(
        _ file: borrowing FileDescriptor, _ name: String, _ wanted: TUNOffloads
    ) throws(TUNError) -> TUNOffloads {
        for offloads in [wanted, wanted.intersection(.tcp), wanted.intersection(.checksum), []] {
            if ioctl(file.rawValue, UInt(CLINUX_TUNSETOFFLOAD.rawValue), CInt(bitPattern: offloads.rawValue)) == 0 {
                return offloads
            }
        }
        throw .refused(name, .last("TUNSETOFFLOAD"))
    }
}

/// Why there is no TUN interface.
package enum TUNError: Error, Equatable {
    /// /dev/net/tun cannot be opened.
    case unavailable(Errno)
    case invalidName(String)
    /// An interface of that name exists.
    case nameInUse(String)
    case notPermitted(String)
    /// The kernel refuses for another reason.
    case refused(String, Errno)

    init(creating name: String, _ error: Errno) {
        switch error.rawValue {
        case EBUSY: self = .nameInUse(name)
        case EINVAL: self = .invalidName(name)
        case EPERM: self = .notPermitted(name)
        default: self = .refused(name, error)
        }
    }
}

extension TUNError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unavailable(let error): "cannot use /dev/net/tun: \(error.text)"
        case .invalidName(let name): "'\(name)' cannot be an interface's name"
        case .nameInUse(let name): "\(name): an interface of this name exists already"
        case .notPermitted(let name): "creating the interface '\(name)' takes root or CAP_NET_ADMIN"
        case .refused(let name, let error): "cannot create the interface '\(name)': \(error)"
        }
    }
}
