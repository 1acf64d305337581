import CMNL
import Glibc
import Wire

/// A rule that says which table a packet is looked up in, before the routes themselves are asked.
package struct RoutingRule: Hashable, Sendable {
    package enum Match: Hashable, Sendable {
        /// Every packet.
        case all
        /// Packets without this mark (`not fwmark`).
        case notMarked(UInt32)
    }

    package var family: IPAddress.Family
    package var match: Match
    package var table: UInt32
    /// Passes over routes with a prefix this long or shorter: 0 leaves the default route out.
    package var suppressedPrefixLength: UInt32?

    package init(
        _ family: IPAddress.Family, _ match: Match, table: UInt32, suppressedPrefixLength: UInt32? = nil
    ) {
        self.family = family
        self.match = match
        self.table = table
        self.suppressedPrefixLength = suppressedPrefixLength
    }
}

extension RouteNetlink {
    /// Adds a rule in front of those that are there, but for the local table's. A second rule like it is another rule.
    package mutating func add(_ rule: RoutingRule) throws(NetlinkError) {
        try exchange(CInt(RTM_NEWRULE), NLM_F_CREATE, rule)
    }

    /// Removes one rule like this; ENOENT when there is none.
    package mutating func remove(_ rule: RoutingRule) throws(NetlinkError) {
        try exchange(CInt(RTM_DELRULE), 0, rule)
    }

    /// How many rules a family has.
    package mutating func ruleCount(_ family: IPAddress.Family) throws(NetlinkError) -> Int {
        var head = fib_rule_hdr()
        head.family = Self.family(family)
        var request = NetlinkRequest(CInt(RTM_GETRULE), flags: NLM_F_DUMP)
        request.put(header: head)
        var count = 0
        try socket.exchange(request) { if $0.type == CInt(RTM_NEWRULE) { count += 1 } }
        return count
    }

    private mutating func exchange(_ type: CInt, _ flags: CInt, _ rule: RoutingRule) throws(NetlinkError) {
        var head = fib_rule_hdr()
        head.family = Self.family(rule.family)
        head.action = UInt8(FR_ACT_TO_TBL)
        if case .notMarked = rule.match { head.flags = UInt32(FIB_RULE_INVERT) }
        var request = NetlinkRequest(type, flags: flags)
        request.put(header: head)
        request.put(Int(FRA_TABLE), rule.table)
        if case .notMarked(let mark) = rule.match { request.put(Int(FRA_FWMARK), mark) }
        if let length = rule.suppressedPrefixLength { request.put(Int(FRA_SUPPRESS_PREFIXLEN), length) }
        try socket.exchange(request)
    }
}
