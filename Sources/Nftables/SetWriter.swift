import CNftables

/// A set, or some elements of one, while libnftnl puts it together.
@safe struct SetWriter: ~Copyable {
    private let set: OpaquePointer

    /// `id` tells the sets of a batch apart.
    init(table: String, _ name: String, id: UInt32?, _ origin: NftablesError.Origin) throws(NftablesError) {
        guard let set = unsafe nftnl_set_alloc() else { throw .unsuitable(origin, "no memory") }
        unsafe self.set = unsafe set
        _ = unsafe nftnl_set_set_str(set, UInt16(NFTNL_SET_TABLE.rawValue), table)
        _ = unsafe nftnl_set_set_str(set, UInt16(NFTNL_SET_NAME.rawValue), name)
        if let id { unsafe nftnl_set_set_u32(set, UInt16(NFTNL_SET_ID.rawValue), id) }
    }

    deinit { unsafe nftnl_set_free(set) }

    func writeSet(to message: UnsafeMutablePointer<nlmsghdr>) { unsafe nftnl_set_nlmsg_build_payload(message, set) }

    func writeElements(to message: UnsafeMutablePointer<nlmsghdr>) {
        unsafe nftnl_set_elems_nlmsg_build_payload(message, set)
    }

    /// What the set is, without its elements.
    func fill(_ description: KernelSet, isAnonymous: Bool) {
        put(NFTNL_SET_KEY_TYPE, description.keyType)
        put(NFTNL_SET_KEY_LEN, UInt32(description.keyLength))
        var flags: UInt32 = 0
        if isAnonymous {
            flags |= NFT_SET_ANONYMOUS.rawValue | NFT_SET_CONSTANT.rawValue
            // The kernel chooses by it how a set that never changes is kept.
            put(NFTNL_SET_DESC_SIZE, UInt32(description.elements.count * (description.hasEnds ? 2 : 1)))
        }
        if description.hasIntervals { flags |= NFT_SET_INTERVAL.rawValue }
        if description.hasIntervals, !description.hasEnds {
            flags |= Self.concatenation
            put(NFTNL_SET_DESC_CONCAT, description.fieldLengths.map { UInt8($0) })
        }
        put(NFTNL_SET_FLAGS, flags)
        // What nft notes for itself: enum byteorder of its include/datatype.h.
        let order: UInt32 = description.fieldLengths.count > 1 ? 0 : description.isHostOrder ? 1 : 2
        put(NFTNL_SET_USERDATA, [Self.keyOrder, 4] + order.hostBytes)
    }

    /// Adds an element as the kernel wants it: a key; a beginning and an end; or, of several fields, a first and a last key.
    func add(
        _ element: KernelSet.Element, of set: KernelSet, _ origin: NftablesError.Origin
    ) throws(NftablesError) {
        guard set.hasEnds else {
            return try add(element.low, last: set.hasIntervals ? element.high : nil, origin)
        }
        let end = element.high.successor
        try add(element.low, isOpen: end == nil, origin)
        if let end { try add(end, isEnd: true, origin) }
    }

    private func add(
        _ key: [UInt8], last: [UInt8]? = nil, isEnd: Bool = false, isOpen: Bool = false,
        _ origin: NftablesError.Origin
    ) throws(NftablesError) {
        guard let element = unsafe nftnl_set_elem_alloc() else { throw .unsuitable(origin, "no memory") }
        func put(_ attribute: Int, _ bytes: [UInt8]) {
            _ = unsafe nftnl_set_elem_set(element, UInt16(attribute), bytes, UInt32(bytes.count))
        }
        put(NFTNL_SET_ELEM_KEY, key)
        if let last { put(NFTNL_SET_ELEM_KEY_END, last) }
        if isEnd {
            unsafe nftnl_set_elem_set_u32(element, UInt16(NFTNL_SET_ELEM_FLAGS), NFT_SET_ELEM_INTERVAL_END.rawValue)
        }
        // The last value of all has no end behind it; nft notes that for itself.
        if isOpen { put(NFTNL_SET_ELEM_USERDATA, [Self.elementFlags, 4] + UInt32(1).hostBytes) }
        unsafe nftnl_set_elem_add(set, element)
    }

    private func put(_ attribute: nftnl_set_attr, _ value: UInt32) {
        unsafe nftnl_set_set_u32(set, UInt16(attribute.rawValue), value)
    }

    private func put(_ attribute: nftnl_set_attr, _ bytes: [UInt8]) {
        _ = unsafe nftnl_set_set_data(set, UInt16(attribute.rawValue), bytes, UInt32(bytes.count))
    }

    /// NFT_SET_CONCAT (linux/netfilter/nf_tables.h).
    static let concatenation: UInt32 = 0x80
    /// NFTNL_UDATA_SET_KEYBYTEORDER, NFTNL_UDATA_SET_ELEM_FLAGS (libnftnl/udata.h).
    private static let keyOrder: UInt8 = 0
    private static let elementFlags: UInt8 = 1
}

extension [UInt8] {
    /// As a number in network order, one more; nil after the last one.
    var successor: [UInt8]? {
        guard let place = lastIndex(where: { $0 != .max }) else { return nil }
        var next = self
        next[place] += 1
        for index in (place + 1)..<count { next[index] = 0 }
        return next
    }

    /// As a number in network order, one less; nil before 0.
    var predecessor: [UInt8]? {
        guard let place = lastIndex(where: { $0 != 0 }) else { return nil }
        var previous = self
        previous[place] -= 1
        for index in (place + 1)..<count { previous[index] = .max }
        return previous
    }
}
