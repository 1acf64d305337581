import Wire

/// What a rule does with a packet that it matches.
package enum Statement: Hashable, Sendable {
    /// Counts in the named counter.
    case counter(String)
    case log(Log)
    /// `accept` and `drop` end the packet's way through this table's chain; after the others, nothing of the rule is done.
    case verdict(Verdict)
    case reject(Rejection)
    /// The source becomes the address of the interface that the packet leaves by (at `postrouting`).
    case masquerade(NATOptions)
    case sourceNAT(NATTarget)
    case destinationNAT(NATTarget)
    /// To this host, at that port or at the one that was asked for.
    case redirect(port: UInt16?)
    /// A SYN's maximum segment size is lowered to what the route's MTU takes. Wants a match for TCP's SYN.
    case clampMSS
    case setMark(UInt32, mask: UInt32)
    case setConnectionMark(UInt32, mask: UInt32)
    /// The packet's mark becomes its connection's, as far as the mask goes; the other bits become 0.
    case restoreMark(mask: UInt32)
    /// The connection's mark becomes the packet's, as far as the mask goes; the other bits become 0.
    case saveMark(mask: UInt32)
    /// Connection tracking does not look at the packet (at `prerouting` and `output`, priority `raw`).
    case doNotTrack

    package static let accept = Statement.verdict(.accept)
    package static let drop = Statement.verdict(.drop)
    package static let `return` = Statement.verdict(.return)
    package static func jump(_ chain: String) -> Statement { .verdict(.jump(chain)) }
    package static func goto(_ chain: String) -> Statement { .verdict(.goto(chain)) }
    package static let masquerade = Statement.masquerade([])
}

package enum Verdict: Hashable, Sendable {
    case accept, drop
    /// Back to the rule after the one that has jumped here; in a base chain its policy.
    case `return`
    /// On with the next rule.
    case `continue`
    case jump(String)
    /// As `jump`, without coming back here.
    case goto(String)

    package var chain: String? {
        switch self {
        case .jump(let chain), .goto(let chain): chain
        case .accept, .drop, .return, .continue: nil
        }
    }
}

/// How the sender is told that its packet is not wanted.
package enum Rejection: Hashable, Sendable {
    /// Asks for TCP too.
    case tcpReset
    /// ICMP or ICMPv6, as the packet is IPv4 or IPv6.
    case unreachable(Unreachable)

    /// `enum nft_reject_inet_code` (linux/netfilter/nf_tables.h).
    package enum Unreachable: UInt8, Hashable, Sendable, CaseIterable {
        case noRoute, port, host, administrativelyProhibited
    }
}

/// A line in the kernel's log for a packet.
package struct Log: Hashable, Sendable {
    /// NF_LOG_PREFIXLEN without its zero (net/netfilter/nf_log.h).
    package static let prefixLimit = 127

    /// What the line begins with: the first `prefixLimit` bytes of it.
    package var prefix: String
    /// More than that is not logged.
    package var limit: Rate?

    package init(prefix: String, limit: Rate? = nil) {
        self.prefix = prefix
        self.limit = limit
    }
}

/// So many in a unit of time, and `burst` of them at once.
package struct Rate: Hashable, Sendable {
    package enum Unit: UInt64, Hashable, Sendable, CaseIterable {
        case second = 1
        case minute = 60
        case hour = 3600
        case day = 86400
    }

    /// nft's own.
    package static let defaultBurst: UInt32 = 5

    package var count: UInt64
    package var unit: Unit
    package var burst: UInt32

    package init(_ count: UInt64, per unit: Unit, burst: UInt32 = Rate.defaultBurst) {
        self.count = count
        self.unit = unit
        self.burst = burst
    }
}
