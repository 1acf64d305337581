import Wire

/// One of the two addresses of an IP header.
enum AddressField {
    case source, destination

    func offset(_ version: IPAddress.Family) -> Int {
        switch (self, version) {
        case (.source, .v4): IPv4Field.source
        case (.source, .v6): IPv6Field.source
        case (.destination, .v4): IPv4Field.destination
        case (.destination, .v6): IPv6Field.destination
        }
    }
}

/// An IP packet, whole or quoted, whose addresses can be replaced: what counts them in a checksum follows (RFC 1624).
@safe struct AddressedPacket {
    /// Where the checksum stands that counts an address by its pseudo-header.
    enum ChecksumPlace: Equatable {
        /// There is none: another protocol, or it went with the first fragment.
        case none
        /// UDP's 0 is no checksum, with IPv6 too (RFC 6935), and none becomes it.
        case at(Int, isUDP: Bool)
        /// There has to be one, but not within these bytes.
        case missing
    }

    let ip: IPPacket
    let upper: UpperLayer
    private let bytes: UnsafeMutableRawPointer
    /// Behind it is nothing of the packet's own.
    private let end: Int

    /// nil when the bytes are no IP packet, or end within its header.
    init?(_ packet: UnsafeMutableRawBufferPointer) {
        guard let ip = unsafe IPPacket(packet), let start = packet.baseAddress else { return nil }
        self.ip = ip
        upper = ip.upperLayer
        unsafe bytes = start
        end = min(packet.count, ip.totalLength)
    }

    var isICMP: Bool {
        guard case .header(let number, _, _) = upper else { return false }
        return number == IPProtocol.icmp || number == IPProtocol.icmpV6
    }

    func address(_ field: AddressField) -> IPAddress { field == .source ? ip.source : ip.destination }

    func checksum(counting field: AddressField) -> ChecksumPlace {
        guard case .header(let number, let offset, let isRouted) = upper else {
            return upper == .laterFragment ? .none : .missing
        }
        let place: Int
        switch number {
        case IPProtocol.tcp: place = TCPField.checksum
        case IPProtocol.udp, IPProtocol.udpLite, IPProtocol.dccp: place = UDPField.checksum
        case IPProtocol.icmpV6 where ip.version == .v6: place = ICMPField.checksum
        default: return .none
        }
        let isUDP = number == IPProtocol.udp || number == IPProtocol.udpLite
        // The final destination is in the routing header, and stays what it is.
        if isRouted, field == .destination { return .none }
        return offset + place + 2 <= end ? .at(offset + place, isUDP: isUDP) : .missing
    }

    /// Gives an address, which `checksum` counts, another prefix. A checksum at `owed` is one that an offload is to complete.
    /// What the sum over the packet's bytes has changed by is added to `change`.
    func replace(
        _ field: AddressField, _ replacement: PrefixReplacement, _ checksum: ChecksumPlace, owed: Int?,
        _ change: inout Checksum
    ) {
        let new = replacement.applied(to: address(field))
        unsafe new.store(to: bytes + field.offset(ip.version))
        change.add(replacement.adjustment)
        let adjustment = Checksum(sum: UInt64(replacement.adjustment))
        if ip.version == .v4 { mend(IPv4Field.checksum, by: adjustment, &change) }
        guard case .at(let place, let isUDP) = checksum else { return }
        let old = unsafe UnsafeRawPointer(bytes).memoryWord(at: place)
        if place == owed {
            // The pseudo-header's sum, not its complement.
            let sum = Checksum(sum: UInt64(old) + adjustment.sum)
            unsafe bytes.storeMemory(sum.folded, at: place)
            note(old, place, &change)
        } else if !isUDP {
            mend(place, by: adjustment, &change)
        } else if old != 0 {
            let sum = Checksum(sum: UInt64(~old) + adjustment.sum)
            unsafe bytes.storeMemory(sum.transportValue, at: place)
            note(old, place, &change)
        }
    }

    /// The checksum at `place` after what it counts has changed by `adjustment` (RFC 1624 eqn. 3).
    func mend(_ place: Int, by adjustment: Checksum, _ change: inout Checksum) {
        let old = unsafe UnsafeRawPointer(bytes).memoryWord(at: place)
        unsafe bytes.storeMemory(Checksum(sum: UInt64(~old) + adjustment.sum).value, at: place)
        note(old, place, &change)
    }

    private func note(_ old: UInt16, _ place: Int, _ change: inout Checksum) {
        change.subtract(old)
        change.add(unsafe UnsafeRawPointer(bytes).memoryWord(at: place))
    }
}

// Errors, which quote the packet that they are about.
extension AddressedPacket {
    /// Where the ICMP header is of an error that quotes a packet (RFC 792, RFC 4443 §3); nil for anything else.
    ///
    /// Redirects are left out, as in RFC 3022 §4.3: they are about a link, and no tunnel is one.
    var errorOffset: Int? {
        guard case .header(let number, let offset, _) = upper, offset + ICMPField.quote <= end else { return nil }
        let type = unsafe UnsafeRawPointer(bytes).byte(at: offset + ICMPField.type)
        switch (number, ip.version) {
        case (IPProtocol.icmp, .v4): return [3, 4, 11, 12].contains(type) ? offset : nil
        case (IPProtocol.icmpV6, .v6): return (1...4).contains(type) ? offset : nil
        default: return nil
        }
    }

    /// The packet that the error at `offset` quotes; nil when too little of it is there to show its addresses.
    func quote(_ offset: Int) -> AddressedPacket? {
        let start = offset + ICMPField.quote
        let quoted = unsafe AddressedPacket(UnsafeMutableRawBufferPointer(start: bytes + start, count: end - start))
        return quoted?.ip.version == ip.version ? quoted : nil
    }
}
