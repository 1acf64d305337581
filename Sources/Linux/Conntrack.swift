import CMNL
import Glibc
import Wire

/// Asks the kernel's connection tracking where a packet came from before NAT changed it (ctnetlink).
package struct Conntrack: ~Copyable {
    private var socket: NetlinkSocket

    package init() throws(Errno) { socket = try NetlinkSocket(NETLINK_NETFILTER) }

    /// The source that the first packet of this packet's flow had when it reached the host; nil when nothing is known of the
    /// flow, or nothing changes it. `packet` is in the flow's own direction, as it left for its destination.
    package mutating func originalSource(of packet: IPPacket) -> IPAddress? {
        guard let reply = ReplyTuple(to: packet) else { return nil }
        var request = NetlinkRequest(CInt(NFNL_SUBSYS_CTNETLINK) << 8 | CInt(IPCTNL_MSG_CT_GET.rawValue))
        request.put(
            header: nfgenmsg(
                nfgen_family: UInt8(packet.version == .v4 ? AF_INET : AF_INET6), version: UInt8(NFNETLINK_V0), res_id: 0
            ))
        reply.put(to: &request)
        var source: IPAddress?
        // No answer is an answer too: ENOENT for a flow that isn't tracked, others where there is no tracking at all.
        try? socket.exchange(request) { message in
            message.forEachAttribute(after: MemoryLayout<nfgenmsg>.size) { attribute in
                guard attribute.type == Int(CTA_TUPLE_ORIG.rawValue) else { return }
                attribute.forEachNested { part in
                    guard part.type == Int(CTA_TUPLE_IP.rawValue) else { return }
                    part.forEachNested { address in
                        switch address.type {
                        case Int(CTA_IP_V4_SRC.rawValue), Int(CTA_IP_V6_SRC.rawValue): source = address.address
                        default: break
                        }
                    }
                }
            }
        }
        return source == packet.source ? nil : source
    }
}

/// What answers to a packet look like, by which connection tracking knows its flow.
private struct ReplyTuple {
    private enum Transport {
        case ports(UInt16, UInt16)
        /// An ICMP question's answer.
        case icmp(id: UInt16, type: UInt8)
    }

    private let version: IPAddress.Family
    private let source, destination: IPAddress
    private let number: UInt8
    private let transport: Transport

    /// nil for what cannot be told by ports or by an identifier.
    init?(to packet: IPPacket) {
        guard let (number, offset) = packet.transport, offset + 8 <= packet.count else { return nil }
        version = packet.version
        (source, destination) = (packet.destination, packet.source)
        self.number = number
        let start = unsafe packet.start + offset
        switch number {
        case IPProtocol.tcp, IPProtocol.udp:
            transport = .ports(unsafe start.networkWord(at: 2), unsafe start.networkWord(at: 0))
        case IPProtocol.icmp where unsafe start.byte(at: 0) == 8:  // echo request, answered by type 0
            transport = .icmp(id: unsafe start.networkWord(at: 4), type: 0)
        case IPProtocol.icmpV6 where unsafe start.byte(at: 0) == 128:  // and by 129
            transport = .icmp(id: unsafe start.networkWord(at: 4), type: 129)
        default: return nil
        }
    }

    func put(to request: inout NetlinkRequest) {
        let isV4 = version == .v4
        request.nest(Int(CTA_TUPLE_REPLY.rawValue)) { tuple in
            tuple.nest(Int(CTA_TUPLE_IP.rawValue)) {
                $0.put(Int(isV4 ? CTA_IP_V4_SRC.rawValue : CTA_IP_V6_SRC.rawValue), source)
                $0.put(Int(isV4 ? CTA_IP_V4_DST.rawValue : CTA_IP_V6_DST.rawValue), destination)
            }
            tuple.nest(Int(CTA_TUPLE_PROTO.rawValue)) {
                $0.put(Int(CTA_PROTO_NUM.rawValue), byte: number)
                switch transport {
                case .ports(let source, let destination):
                    $0.put(Int(CTA_PROTO_SRC_PORT.rawValue), network: source)
                    $0.put(Int(CTA_PROTO_DST_PORT.rawValue), network: destination)
                case .icmp(let id, let type):
                    $0.put(Int(isV4 ? CTA_PROTO_ICMP_ID.rawValue : CTA_PROTO_ICMPV6_ID.rawValue), network: id)
                    $0.put(Int(isV4 ? CTA_PROTO_ICMP_TYPE.rawValue : CTA_PROTO_ICMPV6_TYPE.rawValue), byte: type)
                    $0.put(Int(isV4 ? CTA_PROTO_ICMP_CODE.rawValue : CTA_PROTO_ICMPV6_CODE.rawValue), byte: 0)
                }
            }
        }
    }
}
