/// Byte offsets within an IPv4 header (RFC 791 §3.1).
public enum IPv4Field {
    public static let trafficClass = 1
    public static let totalLength = 2
    public static let identification = 4
    /// Three flag bits and the fragment offset.
    public static let fragment = 6
    public static let timeToLive = 8
    public static let transport = 9
    public static let checksum = 10
    public static let source = 12
    public static let destination = 16
    /// The header without options.
    public static let length = 20

    /// "Don't fragment", in the word at `fragment`.
    public static let dontFragment: UInt16 = 0x4000
    /// "More fragments" and the offset: all 0 in a packet that is no fragment.
    public static let fragmentMask: UInt16 = 0x3fff
    /// The offset alone: 0 in a packet that has its transport header.
    public static let fragmentOffsetMask: UInt16 = 0x1fff
}

/// Byte offsets within an IPv6 header (RFC 8200 §3).
public enum IPv6Field {
    public static let payloadLength = 4
    public static let nextHeader = 6
    public static let hopLimit = 7
    public static let source = 8
    public static let destination = 24
    public static let length = 40
}

/// Byte offsets within the IPv6 extension headers that may stand in front of a transport (RFC 8200 §4.3 to §4.6). Each
/// begins with the number of what follows it.
public enum IPv6Extension {
    /// In units of 8 bytes, the first not counted. A fragment header has none and is one unit.
    public static let length = 1
    /// Of a routing header.
    public static let segmentsLeft = 3
    /// Of a fragment header: the offset, and three bits below it.
    public static let fragmentOffset = 2
    public static let fragmentOffsetMask: UInt16 = 0xfff8
    public static let unit = 8
}

/// Byte offsets within a TCP header (RFC 9293 §3.1).
public enum TCPField {
    public static let sequence = 4
    public static let acknowledgement = 8
    /// Data offset, reserved bits and the flags as one word.
    public static let flags = 12
    public static let window = 14
    public static let checksum = 16
    public static let urgent = 18
    /// The header without options.
    public static let length = 20

    public static let fin: UInt16 = 0x01
    public static let syn: UInt16 = 0x02
    public static let rst: UInt16 = 0x04
    public static let psh: UInt16 = 0x08
    public static let ack: UInt16 = 0x10
    public static let urg: UInt16 = 0x20
    public static let cwr: UInt16 = 0x80
}

/// Byte offsets within a UDP header (RFC 768). UDP-Lite (RFC 3828 §3.1) and DCCP (RFC 4340 §5.1) have their checksums at
/// the same place.
public enum UDPField {
    public static let destinationPort = 2
    public static let totalLength = 4
    public static let checksum = 6
    public static let length = 8
}

/// Byte offsets within an ICMP or ICMPv6 message (RFC 792, RFC 4443 §2.1).
public enum ICMPField {
    public static let type = 0
    public static let checksum = 2
    /// Where an error quotes the packet that it is about.
    public static let quote = 8
}

/// Protocol numbers (IANA): transports, ICMP, and the IPv6 extension headers that may stand in front of them.
public enum IPProtocol {
    public static let hopByHop: UInt8 = 0
    public static let icmp: UInt8 = 1
    public static let tcp: UInt8 = 6
    public static let udp: UInt8 = 17
    public static let dccp: UInt8 = 33
    public static let routing: UInt8 = 43
    public static let fragment: UInt8 = 44
    public static let icmpV6: UInt8 = 58
    public static let destinationOptions: UInt8 = 60
    public static let ospf: UInt8 = 89
    public static let sctp: UInt8 = 132
    public static let udpLite: UInt8 = 136
}
