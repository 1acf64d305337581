/// Byte offsets within an IPv4 header (RFC 791 §3.1).
package enum IPv4Field {
    package static let trafficClass = 1
    package static let totalLength = 2
    package static let identification = 4
    /// Three flag bits and the fragment offset.
    package static let fragment = 6
    package static let timeToLive = 8
    package static let transport = 9
    package static let checksum = 10
    package static let source = 12
    package static let destination = 16
    /// The header without options.
    package static let length = 20

    /// "Don't fragment", in the word at `fragment`.
    package static let dontFragment: UInt16 = 0x4000
    /// "More fragments" and the offset: all 0 in a packet that is no fragment.
    package static let fragmentMask: UInt16 = 0x3fff
    /// The offset alone: 0 in a packet that has its transport header.
    package static let fragmentOffsetMask: UInt16 = 0x1fff
}

/// Byte offsets within an IPv6 header (RFC 8200 §3).
package enum IPv6Field {
    package static let payloadLength = 4
    package static let nextHeader = 6
    package static let hopLimit = 7
    package static let source = 8
    package static let destination = 24
    package static let length = 40
}

/// Byte offsets within the IPv6 extension headers that may stand in front of a transport (RFC 8200 §4.3 to §4.6). Each
/// begins with the number of what follows it.
package enum IPv6Extension {
    /// In units of 8 bytes, the first not counted. A fragment header has none and is one unit.
    package static let length = 1
    /// Of a routing header.
    package static let segmentsLeft = 3
    /// Of a fragment header: the offset, and three bits below it.
    package static let fragmentOffset = 2
    package static let fragmentOffsetMask: UInt16 = 0xfff8
    package static let unit = 8
}

/// Byte offsets within a TCP header (RFC 9293 §3.1).
package enum TCPField {
    package static let sequence = 4
    package static let acknowledgement = 8
    /// Data offset, reserved bits and the flags as one word.
    package static let flags = 12
    package static let window = 14
    package static let checksum = 16
    package static let urgent = 18
    /// The header without options.
    package static let length = 20

    package static let fin: UInt16 = 0x01
    package static let syn: UInt16 = 0x02
    package static let rst: UInt16 = 0x04
    package static let psh: UInt16 = 0x08
    package static let ack: UInt16 = 0x10
    package static let urg: UInt16 = 0x20
    package static let cwr: UInt16 = 0x80
}

/// Byte offsets within a UDP header (RFC 768). UDP-Lite (RFC 3828 §3.1) and DCCP (RFC 4340 §5.1) have their checksums at
/// the same place.
package enum UDPField {
    package static let destinationPort = 2
    package static let totalLength = 4
    package static let checksum = 6
    package static let length = 8
}

/// Byte offsets within an ICMP or ICMPv6 message (RFC 792, RFC 4443 §2.1).
package enum ICMPField {
    package static let type = 0
    package static let checksum = 2
    /// Where an error quotes the packet that it is about.
    package static let quote = 8
}

/// Protocol numbers (IANA): transports, ICMP, and the IPv6 extension headers that may stand in front of them.
package enum IPProtocol {
    package static let hopByHop: UInt8 = 0
    package static let icmp: UInt8 = 1
    package static let tcp: UInt8 = 6
    package static let udp: UInt8 = 17
    package static let dccp: UInt8 = 33
    package static let routing: UInt8 = 43
    package static let fragment: UInt8 = 44
    package static let icmpV6: UInt8 = 58
    package static let destinationOptions: UInt8 = 60
    package static let ospf: UInt8 = 89
    package static let sctp: UInt8 = 132
    package static let udpLite: UInt8 = 136
}
