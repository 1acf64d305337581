import CLinux
import Glibc
import Linux
import Wire

/// A way out through an interface's own port for a thread that is no worker: answers to strangers, one datagram each.
package protocol ReplySender: AnyObject, Sendable {
    /// Sends `bytes` to the remote end of `path`, from its local one where there is one. False when the network has refused
    /// them; nothing is tried again, because whoever is not answered asks again.
    func send(_ bytes: UnsafeRawBufferPointer, by path: Path) -> Bool
}

/// The sockets of a port by descriptors of its own, which keep them open for as long as it lives.
final class SocketReplySender: ReplySender {
    private let v4: FileDescriptor
    private let v6: FileDescriptor?
    private let socketV6: CInt?

    init(v4: borrowing FileDescriptor, v6: borrowing FileDescriptor?) throws(Errno) {
        self.v4 = try v4.duplicate()
        switch v6 {
        case .some(let v6):
            let duplicate = try v6.duplicate()
            socketV6 = duplicate.rawValue
            self.v6 = consume duplicate
        case .none:
            socketV6 = nil
            self.v6 = nil
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer, by path: Path) -> Bool {
        guard let socket = path.remote.address.family == .v4 ? v4.rawValue : socketV6 else { return false }
        return unsafe withUnsafeTemporaryAllocation(
            byteCount: ControlMessage.capacity + SocketAddress.capacity, alignment: 8
        ) { memory in
            let start = unsafe memory.baseAddress.unsafelyUnwrapped
            var control = unsafe ControlWriter(start)
            if let local = path.local { control.append(source: local) }
            let address = unsafe start + ControlMessage.capacity
            var part = unsafe iovec(
                iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
            return unsafe withUnsafeMutablePointer(to: &part) { part in
                var header = unsafe msghdr()
                unsafe header.msg_name = address
                unsafe header.msg_namelen = SocketAddress.store(path.remote, to: address)
                unsafe header.msg_iov = part
                unsafe header.msg_iovlen = 1
                unsafe header.msg_control = start
                unsafe header.msg_controllen = control.count
                return unsafe sendmsg(socket, &header, CInt(MSG_DONTWAIT)) == bytes.count
            }
        }
    }
}
