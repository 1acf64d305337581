import Glibc
import Wire

/// Sends ICMP messages of the host's own: the kernel puts the IP header in front, with the source that its routes give.
package struct ICMPSocket: ~Copyable {
    private let v4: FileDescriptor
    private let v6: FileDescriptor
    /// False on a host without IPv6; `v6` is no descriptor then.
    private let hasV6: Bool

    /// Needs CAP_NET_RAW, for this call only.
    package init() throws(Errno) {
        v4 = try Self.open(AF_INET, IPProtocol.icmp)
        do throws(Errno) {
            v6 = try Self.open(AF_INET6, IPProtocol.icmpV6)
            hasV6 = true
        } catch {
            v6 = FileDescriptor(owning: -1)
            hasV6 = false
        }
    }

    /// One that sends nothing, for who may not have one.
    package static var closed: ICMPSocket { ICMPSocket(closed: ()) }

    private init(closed: ()) {
        v4 = FileDescriptor(owning: -1)
        v6 = FileDescriptor(owning: -1)
        hasV6 = false
    }

    private static func open(_ family: CInt, _ number: UInt8) throws(Errno) -> FileDescriptor {
        let type = CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = try FileDescriptor(socket(family, type, CInt(number)), "ICMP socket")
        // What it receives are copies of what the kernel deals with anyway: as little as may be.
        try? SocketOption.set(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, 0, "SO_RCVBUF")
        return descriptor
    }

    /// Sends `message`, ICMP header and all; the checksum of ICMPv6 is the kernel's. `interface` is the scope of a link-local
    /// address. Errors are the message's end: nobody is told that somebody could not be told.
    package func send(_ message: [UInt8], to address: IPAddress, interface: UInt32) {
        switch address.family {
        case .v4:
            var destination = sockaddr_in()
            destination.sin_family = sa_family_t(AF_INET)
            destination.sin_addr.s_addr = address.v4Bits.bigEndian
            send(message, v4.rawValue, &destination)
        case .v6:
            guard hasV6 else { return }
            var destination = sockaddr_in6()
            destination.sin6_family = sa_family_t(AF_INET6)
            unsafe withUnsafeMutableBytes(of: &destination.sin6_addr) { bytes in
                if let start = bytes.baseAddress { unsafe address.store(to: start) }
            }
            if address.isLinkLocal { destination.sin6_scope_id = interface }
            send(message, v6.rawValue, &destination)
        }
    }

    private func send<Address>(_ message: [UInt8], _ socket: CInt, _ destination: inout Address) {
        let length = socklen_t(MemoryLayout<Address>.size)
        unsafe withUnsafeBytes(of: &destination) { address in
            guard let address = unsafe address.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return }
            unsafe message.withUnsafeBytes { bytes in
                _ = unsafe sendto(socket, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT), address, length)
            }
        }
    }
}
