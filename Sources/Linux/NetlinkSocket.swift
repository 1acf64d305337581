import CMNL
import Glibc

/// A netlink socket, of the routing family unless said otherwise, in the network namespace of the thread that opened it.
@safe package struct NetlinkSocket: ~Copyable {
    /// The kernel fills up to 32 KiB at once when it may.
    private static let bufferSize = 32 << 10

    private let socket: OpaquePointer
    private let buffer: UnsafeMutableRawPointer
    private var sequence: UInt32 = 0

    package init(_ bus: CInt = NETLINK_ROUTE) throws(Errno) {
        let opened = try unsafe Self.open(bus)
        unsafe socket = unsafe opened
        unsafe buffer = .allocate(byteCount: Self.bufferSize, alignment: 8)
    }

    private static func open(_ bus: CInt) throws(Errno) -> OpaquePointer {
        guard let socket = unsafe mnl_socket_open2(bus, CInt(SOCK_CLOEXEC.rawValue)) else {
            throw Errno.last("netlink socket")
        }
        guard unsafe mnl_socket_bind(socket, 0, 0) == 0 else {
            let error = Errno.last("netlink bind")
            unsafe mnl_socket_close(socket)
            throw error
        }
        // The kernel's own words, and our request not sent back with them. Older kernels do without.
        var on: CInt = 1
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] {
            _ = unsafe mnl_socket_setsockopt(socket, option, &on, socklen_t(MemoryLayout<CInt>.size))
        }
        return unsafe socket
    }

    deinit {
        unsafe mnl_socket_close(socket)
        unsafe buffer.deallocate()
    }

    /// Sends one request and reads to the end of its answer, handing out each message before the acknowledgement.
    package mutating func exchange(
        _ request: consuming NetlinkRequest, each: (NetlinkMessage) -> Void = { _ in }
    ) throws(NetlinkError) {
        guard !request.isOverfull else { throw NetlinkError(Errno(EMSGSIZE)) }
        sequence &+= 1
        let bytes = unsafe request.finish(sequence: sequence)
        guard let start = bytes.baseAddress else { return }
        let sent = unsafe mnl_socket_sendto(socket, start, bytes.count)
        guard sent >= 0 else { throw NetlinkError(Errno.last("netlink send")) }
        var isDone = false
        while !isDone {
            let count = unsafe mnl_socket_recvfrom(socket, buffer, Self.bufferSize)
            if count < 0 {
                if errno == EINTR { continue }
                throw NetlinkError(Errno.last("netlink receive"))
            }
            let answer = unsafe UnsafeRawBufferPointer(start: buffer, count: count)
            isDone = try unsafe NetlinkReply.read(answer, sequence: sequence, each)
        }
    }

    // MARK: What is more than one request

    /// Room for `bytes` of what is sent at once and what comes back, beyond the system's limits where CAP_NET_ADMIN allows.
    package func setBuffers(send: Int, receive: Int) {
        let options = [(SO_SNDBUFFORCE, SO_SNDBUF, send), (SO_RCVBUFFORCE, SO_RCVBUF, receive)]
        for (forced, plain, bytes) in options {
            let value = CInt(clamping: bytes)
            if (try? SocketOption.set(descriptor, SOL_SOCKET, forced, value, "netlink buffer")) == nil {
                // Too little is told by the send itself, or by what is lost.
                try? SocketOption.set(descriptor, SOL_SOCKET, plain, value, "netlink buffer")
            }
        }
    }

    /// Numbers of messages, so many in a row, that no other message of this socket has; the first of them.
    package mutating func sequences(_ count: Int) -> UInt32 {
        defer { sequence &+= UInt32(truncatingIfNeeded: count) }
        return sequence &+ 1
    }

    /// Messages in one datagram.
    package func send(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        guard let start = bytes.baseAddress else { return }
        try Errno.check(unsafe mnl_socket_sendto(socket, start, bytes.count), "netlink send")
    }

    /// Hands out each message that has come already; false when some were lost for want of room.
    package func receivePending(_ each: (NetlinkMessage) -> Void) throws(Errno) -> Bool {
        var isComplete = true
        while true {
            let count = unsafe recv(descriptor, buffer, Self.bufferSize, CInt(MSG_DONTWAIT))
            if count >= 0 {
                unsafe NetlinkReply.forEach(in: UnsafeRawBufferPointer(start: buffer, count: count), each)
                continue
            }
            switch errno {
            case EINTR: break
            case EAGAIN: return isComplete
            case ENOBUFS: isComplete = false
            default: throw Errno.last("netlink receive")
            }
        }
    }

    private var descriptor: CInt { unsafe mnl_socket_get_fd(socket) }
}
