import CMNL
import Glibc
import Wire

/// One netlink message while it is put together: header, the family's own header, attributes.
@safe package struct NetlinkRequest: ~Copyable {
    /// Enough for every request here several times over.
    static let capacity = 1024

    private let memory: UnsafeMutableRawPointer
    private let header: UnsafeMutablePointer<nlmsghdr>
    /// Set when an attribute found no room, an interface's name of a thousand letters say.
    private(set) var isOverfull = false

    /// NLM_F_REQUEST and NLM_F_ACK are added to `flags`.
    package init(_ type: CInt, flags: CInt = 0) {
        unsafe memory = .allocate(byteCount: Self.capacity, alignment: 8)
        unsafe header = mnl_nlmsg_put_header(memory)
        unsafe header.pointee.nlmsg_type = UInt16(truncatingIfNeeded: type)
        unsafe header.pointee.nlmsg_flags = UInt16(truncatingIfNeeded: flags | NLM_F_REQUEST | NLM_F_ACK)
    }

    deinit { unsafe memory.deallocate() }

    /// The family's own header: `ifinfomsg`, `ifaddrmsg`, `rtmsg`, `fib_rule_hdr`, `nfgenmsg`.
    package mutating func put<Header: BitwiseCopyable>(header value: Header) {
        let size = MemoryLayout<Header>.size
        let place = unsafe mnl_nlmsg_put_extra_header(header, size)
        unsafe place?.storeBytes(of: value, as: Header.self)
    }

    mutating func put(_ type: Int, _ value: UInt32) {
        note(unsafe mnl_attr_put_u32_check(header, Self.capacity, UInt16(type), value))
    }

    mutating func put(_ type: Int, byte: UInt8) {
        note(unsafe mnl_attr_put_u8_check(header, Self.capacity, UInt16(type), byte))
    }

    /// In network order.
    mutating func put(_ type: Int, network value: UInt16) {
        note(unsafe mnl_attr_put_u16_check(header, Self.capacity, UInt16(type), value.bigEndian))
    }

    package mutating func put(_ type: Int, _ text: String) {
        note(unsafe mnl_attr_put_strz_check(header, Self.capacity, UInt16(type), text))
    }

    /// 4 or 16 bytes in network order.
    mutating func put(_ type: Int, _ address: IPAddress) {
        var bytes: (UInt64, UInt64) = (0, 0)
        let stored = unsafe withUnsafeMutableBytes(of: &bytes) { bytes -> Bool in
            guard let start = bytes.baseAddress else { return false }
            unsafe address.store(to: start)
            return unsafe mnl_attr_put_check(
                header, Self.capacity, UInt16(type), address.family.byteCount, start)
        }
        note(stored)
    }

    /// An attribute that holds what `body` puts, after `inner` where the kernel wants a header in it.
    mutating func nest(_ type: Int, _ body: (inout NetlinkRequest) -> Void) {
        guard let start = unsafe mnl_attr_nest_start_check(header, Self.capacity, UInt16(type)) else {
            isOverfull = true
            return
        }
        body(&self)
        unsafe mnl_attr_nest_end(header, start)
    }

    /// The finished message, numbered `sequence`.
    mutating func finish(sequence: UInt32) -> UnsafeRawBufferPointer {
        unsafe header.pointee.nlmsg_seq = sequence
        return unsafe UnsafeRawBufferPointer(start: memory, count: Int(header.pointee.nlmsg_len))
    }

    private mutating func note(_ fitted: Bool) { if !fitted { isOverfull = true } }
}

/// One message of the kernel's answer, valid while it is being looked at.
@safe package struct NetlinkMessage {
    private let header: UnsafePointer<nlmsghdr>

    init(_ header: UnsafePointer<nlmsghdr>) { unsafe self.header = unsafe header }

    package var type: CInt { CInt(unsafe header.pointee.nlmsg_type) }
    package var sequence: UInt32 { unsafe header.pointee.nlmsg_seq }
    package var flags: CInt { CInt(unsafe header.pointee.nlmsg_flags) }

    /// The family's own header; nil when the message is too short for it.
    package func payload<Header: BitwiseCopyable>(as _: Header.Type) -> Header? {
        guard unsafe mnl_nlmsg_get_payload_len(header) >= MemoryLayout<Header>.size,
            let start = unsafe mnl_nlmsg_get_payload(header)
        else { return nil }
        return unsafe start.loadUnaligned(as: Header.self)
    }

    /// Each attribute behind the first `offset` bytes of the payload.
    package func forEachAttribute(after offset: Int, _ body: (NetlinkAttribute) -> Void) {
        guard unsafe mnl_nlmsg_get_payload_len(header) > offset,
            let start = unsafe mnl_nlmsg_get_payload_offset(header, offset)
        else { return }
        // libmnl's tail is rounded up, beyond the last byte that there is.
        let end = unsafe UnsafeRawPointer(header) + Int(header.pointee.nlmsg_len)
        unsafe NetlinkAttribute.forEach(from: start, to: end, body)
    }
}

extension NetlinkMessage {
    /// The error in an NLMSG_ERROR; nil when it is an acknowledgement.
    package var error: NetlinkError? {
        guard let head = payload(as: nlmsgerr.self) else { return NetlinkError(Errno(EBADMSG)) }
        guard head.error != 0 else { return nil }
        var words = ""
        if flags & NLM_F_ACK_TLVS != 0 {
            // Our request follows the head unless the kernel has left it out.
            let isCapped = flags & NLM_F_CAPPED != 0
            let request = isCapped ? 0 : Int(head.msg.nlmsg_len) - MemoryLayout<nlmsghdr>.size
            forEachAttribute(after: MemoryLayout<nlmsgerr>.size + max(0, request)) {
                if $0.type == Int(NLMSGERR_ATTR_MSG.rawValue) { words = $0.text }
            }
        }
        // Negated without a trap: what comes is the kernel's, but a number is only a number.
        return NetlinkError(Errno(0 &- head.error), message: words)
    }
}

/// One attribute of an answer, valid while it is being looked at.
@safe package struct NetlinkAttribute {
    private let attribute: UnsafePointer<nlattr>

    init(_ attribute: UnsafePointer<nlattr>) { unsafe self.attribute = unsafe attribute }

    package var type: Int { Int(unsafe mnl_attr_get_type(attribute)) }

    var u8: UInt8? {
        guard unsafe mnl_attr_get_payload_len(attribute) == 1 else { return nil }
        return unsafe mnl_attr_get_u8(attribute)
    }

    var u32: UInt32? {
        guard unsafe mnl_attr_get_payload_len(attribute) == 4 else { return nil }
        return unsafe mnl_attr_get_u32(attribute)
    }

    package var bytes: [UInt8] {
        guard let start = unsafe mnl_attr_get_payload(attribute) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: Int(mnl_attr_get_payload_len(attribute))))
    }

    /// The number in network order, as nfnetlink has them; nil for another size.
    package func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number? {
        guard unsafe Int(mnl_attr_get_payload_len(attribute)) == MemoryLayout<Number>.size,
            let start = unsafe mnl_attr_get_payload(attribute)
        else { return nil }
        return Number(bigEndian: unsafe start.loadUnaligned(as: Number.self))
    }

    /// Each attribute in this one.
    package func forEachNested(_ body: (NetlinkAttribute) -> Void) {
        guard let start = unsafe mnl_attr_get_payload(attribute) else { return }
        unsafe Self.forEach(from: start, to: start + Int(mnl_attr_get_payload_len(attribute)), body)
    }

    static func forEach(
        from start: UnsafeRawPointer, to end: UnsafeRawPointer, _ body: (NetlinkAttribute) -> Void
    ) {
        var attribute = unsafe start.assumingMemoryBound(to: nlattr.self)
        while unsafe mnl_attr_ok(attribute, CInt(end - UnsafeRawPointer(attribute))) {
            unsafe body(NetlinkAttribute(attribute))
            guard let next = unsafe mnl_attr_next(attribute) else { return }
            unsafe attribute = UnsafePointer(next)
        }
    }

    package var address: IPAddress? {
        guard let start = unsafe mnl_attr_get_payload(attribute) else { return nil }
        return switch unsafe mnl_attr_get_payload_len(attribute) {
        case 4: unsafe IPAddress(v4At: start)
        case 16: unsafe IPAddress(v6At: start)
        default: nil
        }
    }

    package var text: String {
        guard let start = unsafe mnl_attr_get_payload(attribute) else { return "" }
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(mnl_attr_get_payload_len(attribute)))
        return unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
