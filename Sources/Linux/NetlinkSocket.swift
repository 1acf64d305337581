import CMNL
import Glibc

/// A netlink socket, of the routing family unless said otherwise, in the network namespace of the thread that opened it.
@safe struct NetlinkSocket: ~Copyable {
    /// The kernel fills up to 32 KiB at once when it may.
    private static let bufferSize = 32 << 10

    private let socket: OpaquePointer
    private let buffer: UnsafeMutableRawPointer
    private var sequence: UInt32 = 0

    init(_ bus: CInt = NETLINK_ROUTE) throws(Errno) {
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
    mutating func exchange(
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
            isDone = try read(count, each)
        }
    }

    /// Reads one datagram of the answer; true when it was the last.
    private func read(_ count: Int, _ each: (NetlinkMessage) -> Void) throws(NetlinkError) -> Bool {
        var left = CInt(count)
        var next = unsafe UnsafePointer(buffer.assumingMemoryBound(to: nlmsghdr.self))
        while unsafe mnl_nlmsg_ok(next, left) {
            let message = unsafe NetlinkMessage(next)
            // What answers an earlier request that was given up is skipped.
            if unsafe mnl_nlmsg_seq_ok(next, sequence) {
                switch message.type {
                case NLMSG_ERROR:
                    if let error = unsafe Self.error(in: message, flags: next.pointee.nlmsg_flags) { throw error }
                    return true
                case NLMSG_DONE:
                    return true
                default:
                    each(message)
                }
            }
            guard let following = unsafe mnl_nlmsg_next(next, &left) else { return false }
            unsafe next = UnsafePointer(following)
        }
        return false
    }

    /// The error in an NLMSG_ERROR; nil when it is an acknowledgement.
    private static func error(in message: NetlinkMessage, flags: UInt16) -> NetlinkError? {
        guard let head = message.payload(as: nlmsgerr.self) else { return NetlinkError(Errno(EBADMSG)) }
        guard head.error != 0 else { return nil }
        var words = ""
        if CInt(flags) & NLM_F_ACK_TLVS != 0 {
            // Our request follows the head unless the kernel has left it out.
            let isCapped = CInt(flags) & NLM_F_CAPPED != 0
            let request = isCapped ? 0 : Int(head.msg.nlmsg_len) - MemoryLayout<nlmsghdr>.size
            message.forEachAttribute(after: MemoryLayout<nlmsgerr>.size + max(0, request)) {
                if $0.type == Int(NLMSGERR_ATTR_MSG.rawValue) { words = $0.text }
            }
        }
        return NetlinkError(Errno(-head.error), message: words)
    }
}
