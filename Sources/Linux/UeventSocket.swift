import CMNL
import Glibc

/// The kernel's words about devices (NETLINK_KOBJECT_UEVENT), of which one matters here: that this virtual machine is a copy.
package struct UeventSocket: ~Copyable {
    /// The kernel's own group; 2 is udev's.
    private static let kernelGroup: UInt32 = 1
    /// The longest that the kernel makes them (UEVENT_BUFFER_SIZE and the path in front).
    private static let sizeBound = 8192

    private let descriptor: FileDescriptor

    package init() throws(Errno) { descriptor = try Self.open() }

    private static func open() throws(Errno) -> FileDescriptor {
        let type = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = try FileDescriptor(socket(AF_NETLINK, type, NETLINK_KOBJECT_UEVENT), "uevent socket")
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = kernelGroup
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor.rawValue, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        try Errno.check(bound, "uevent bind")
        return descriptor
    }

    /// For `poll`.
    package var rawValue: CInt { descriptor.rawValue }

    /// Reads what has come; true when it says that the virtual machine was forked or restored from a snapshot. More than the
    /// socket holds (ENOBUFS) may have said so too.
    package func saysForked() -> Bool {
        var hasForked = false
        var message = [UInt8](repeating: 0, count: Self.sizeBound)
        while true {
            var sender = sockaddr_nl()
            var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let count = unsafe message.withUnsafeMutableBytes { bytes in
                unsafe withUnsafeMutablePointer(to: &sender) { sender in
                    unsafe sender.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe recvfrom(descriptor.rawValue, bytes.baseAddress, bytes.count, 0, $0, &length)
                    }
                }
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == ENOBUFS { hasForked = true; continue }
            guard count > 0 else { return hasForked }
            // Only the kernel has port 0: any process may send to the group.
            if sender.nl_pid == 0, Self.saysForked(message[..<count]) { hasForked = true }
        }
    }

    /// Whether a uevent is the one of drivers/virt/vmgenid.c: `change@…/vmgenid…`, with NEW_VMGENID=1 among its variables
    /// (Linux 6.9).
    package static func saysForked(_ message: ArraySlice<UInt8>) -> Bool {
        message.split(separator: 0).dropFirst().contains { $0.elementsEqual("NEW_VMGENID=1".utf8) }
    }
}
