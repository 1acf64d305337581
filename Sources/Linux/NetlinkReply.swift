import CMNL
import Glibc
import Wire

/// What the kernel answers: bytes to messages, without a socket.
package enum NetlinkReply {
    /// Each message of a datagram. The bytes are aligned to 4.
    package static func forEach(in datagram: UnsafeRawBufferPointer, _ body: (NetlinkMessage) -> Void) {
        guard let start = datagram.baseAddress else { return }
        var left = CInt(datagram.count)
        var next = unsafe start.assumingMemoryBound(to: nlmsghdr.self)
        while unsafe holds(left, next) {
            body(unsafe NetlinkMessage(next))
            guard let following = unsafe mnl_nlmsg_next(next, &left) else { return }
            unsafe next = UnsafePointer(following)
        }
    }

    /// Reads one datagram of the answer to request `sequence`; true when it was the last. The bytes are aligned to 4.
    static func read(
        _ datagram: UnsafeRawBufferPointer, sequence: UInt32, _ each: (NetlinkMessage) -> Void
    ) throws(NetlinkError) -> Bool {
        guard let start = datagram.baseAddress else { return false }
        var left = CInt(datagram.count)
        var next = unsafe start.assumingMemoryBound(to: nlmsghdr.self)
        while unsafe holds(left, next) {
            let message = unsafe NetlinkMessage(next)
            // What answers an earlier request that was given up is skipped.
            if unsafe mnl_nlmsg_seq_ok(next, sequence) {
                switch message.type {
                case NLMSG_ERROR:
                    if let error = message.error { throw error }
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

    /// Whether a whole message stands in the `left` bytes. `mnl_nlmsg_ok` takes a length beyond 2³¹ for a negative one,
    /// and that for one that fits.
    private static func holds(_ left: CInt, _ message: UnsafePointer<nlmsghdr>) -> Bool {
        guard Int(left) >= MemoryLayout<nlmsghdr>.size else { return false }
        let length = Int(unsafe message.pointee.nlmsg_len)
        return length >= MemoryLayout<nlmsghdr>.size && length <= Int(left)
    }

    // MARK: Answers without a socket

    /// What is asked of the kernel, for the reading of answers that did not come from it.
    package enum Question: CaseIterable, Sendable { case link, addresses, routes, routeMTUs, way, rules }

    /// How many messages of the datagram answer the question; nil for an error.
    package static func read(_ bytes: [UInt8], as question: Question) -> Int? {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        defer { unsafe memory.deallocate() }
        unsafe memory.copyBytes(from: bytes)
        var count = 0
        do throws(NetlinkError) {
            _ = try unsafe read(UnsafeRawBufferPointer(memory), sequence: 0) {
                if answers(question, $0) { count += 1 }
            }
            return count
        } catch {
            return nil
        }
    }

    private static func answers(_ question: Question, _ message: NetlinkMessage) -> Bool {
        switch question {
        case .link: RouteNetlink.link(in: message, "eth0") != nil
        case .addresses: RouteNetlink.address(in: message, link: 1) != nil
        case .routes: RouteNetlink.route(in: message, link: 1) != nil
        case .routeMTUs: RouteNetlink.mtu(in: message, link: 1) != nil || RouteMonitor.concernsMTU(message)
        case .rules: RouteNetlink.rule(in: message, .v4) != nil
        case .way: RouteNetlink.way(in: message).source != nil
        }
    }
}
