/// The ICMP message that tells a sender that its packet cannot be delivered: IPv4 "host unreachable" (type 3 code 1, RFC
/// 792), IPv6 "address unreachable" (type 1 code 3, RFC 4443 §3.1).
public enum ICMPUnreachable {
    /// The most bytes of the packet that are quoted: what keeps the whole message within 576 bytes (RFC 1812 §4.3.2.3) or
    /// IPv6's minimum MTU of 1280 (RFC 4443 §2.4 c).
    public static func quoteBound(_ version: IPAddress.Family) -> Int {
        version == .v4 ? 576 - IPv4Field.length - headerLength : 1280 - IPv6Field.length - headerLength
    }

    /// Type, code, checksum, and four unused bytes.
    public static let headerLength = 8

    /// Whether a packet is one that may be answered at all: not an error itself, and with one sender who can be meant (RFC
    /// 1122 §3.2.2, RFC 4443 §2.4 e).
    public static func mayAnswer(_ ip: IPPacket) -> Bool {
        guard isOneHost(ip.source), !isForMany(ip.destination) else { return false }
        switch ip.version {
        case .v4:
            guard unsafe ip.bytes.networkWord(at: IPv4Field.fragment) & 0x1fff == 0 else { return false }
            return ip.nextProtocol != IPProtocol.icmp || isQuestion(ip, at: ip.headerLength)
        case .v6:
            // A fragment may be one of an error.
            guard let (number, offset) = ip.transport, number != IPProtocol.fragment else { return false }
            return number != IPProtocol.icmpV6 || isQuestion(ip, at: offset)
        }
    }

    /// ICMP that is not an error: of IPv4 the types that are none, of IPv6 those from 128 on but redirects.
    private static func isQuestion(_ ip: IPPacket, at offset: Int) -> Bool {
        guard offset < ip.count else { return false }
        let type = unsafe ip.bytes.byte(at: offset)
        return ip.version == .v4 ? ![3, 4, 5, 11, 12].contains(type) : type >= 128 && type != 137
    }

    private static func isOneHost(_ address: IPAddress) -> Bool {
        switch address.family {
        case .v4: !isForMany(address) && address.v4Bits >> 24 != 0 && address.v4Bits >> 24 != 127
        case .v6: !isForMany(address) && !(address.high == 0 && address.low <= 1)
        }
    }

    /// Multicast, IPv4's reserved block with its broadcast address in it.
    private static func isForMany(_ address: IPAddress) -> Bool {
        address.family == .v4 ? address.v4Bits >> 28 >= 0xe : address.high >> 56 == 0xff
    }

    /// The ICMP message, without an IP header, that quotes `packet`, cut to `quoteBound`. The checksum is filled in for
    /// IPv4; that of IPv6, which counts the addresses, is left to whoever sends it.
    public static func message(quoting packet: [UInt8], _ version: IPAddress.Family) -> [UInt8] {
        var message: [UInt8] = (version == .v4 ? [3, 1] : [1, 3]) + [0, 0, 0, 0, 0, 0]
        message += packet.prefix(quoteBound(version))
        if version == .v4 {
            unsafe message.withUnsafeMutableBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                var sum = Checksum()
                unsafe sum.add(start, count: bytes.count)
                unsafe start.storeMemory(sum.value, at: 2)
            }
        }
        return message
    }
}
