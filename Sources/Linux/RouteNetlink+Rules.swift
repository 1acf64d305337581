import CMNL
import Glibc
import Wire

/// A rule that says in which table packets without a certain mark are looked up, before the routes themselves are asked
/// (`not fwmark`).
package struct RoutingRule: Hashable, Sendable {
    package var family: IPAddress.Family
    package var unlessMarked: UInt32
    package var table: UInt32
    /// Passes over routes with a prefix this long or shorter: 0 leaves the default route out.
    package var suppressedPrefixLength: UInt32?

    /// FRA_PROTOCOL of our rules: who finds one knows whose it is, `ip rule` shows it. Not given out to anybody else (rtnetlink.h,
    /// /etc/iproute2/rt_protos).
    static let protocolNumber: UInt8 = 251

    package init(
        _ family: IPAddress.Family, unlessMarked mark: UInt32, table: UInt32, suppressedPrefixLength: UInt32? = nil
    ) {
        self.family = family
        unlessMarked = mark
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

    /// Our rules of a family, also those of other routers and of such as have ended without taking them back.
    package mutating func rules(_ family: IPAddress.Family) throws(NetlinkError) -> [RoutingRule] {
        var found: [RoutingRule] = []
        try forEachRule(family) { message in Self.rule(in: message, family).map { found.append($0) } }
        return found
    }

    /// How many rules a family has, whoever made them.
    package mutating func ruleCount(_ family: IPAddress.Family) throws(NetlinkError) -> Int {
        var count = 0
        try forEachRule(family) { _ in count += 1 }
        return count
    }

    private mutating func forEachRule(
        _ family: IPAddress.Family, _ body: (NetlinkMessage) -> Void
    ) throws(NetlinkError) {
        var head = fib_rule_hdr()
        head.family = Self.family(family)
        var request = NetlinkRequest(CInt(RTM_GETRULE), flags: NLM_F_DUMP)
        request.put(header: head)
        try socket.exchange(request) { if $0.type == CInt(RTM_NEWRULE) { body($0) } }
    }

    static func rule(in message: NetlinkMessage, _ family: IPAddress.Family) -> RoutingRule? {
        guard let head = message.payload(as: fib_rule_hdr.self), head.action == UInt8(FR_ACT_TO_TBL) else { return nil }
        var rule = RoutingRule(family, unlessMarked: 0, table: UInt32(head.table))
        var isOurs = false
        message.forEachAttribute(after: MemoryLayout<fib_rule_hdr>.size) {
            switch $0.type {
            case Int(FRA_PROTOCOL): isOurs = $0.u8 == RoutingRule.protocolNumber
            case Int(FRA_TABLE): rule.table = $0.u32 ?? rule.table
            case Int(FRA_FWMARK): rule.unlessMarked = $0.u32 ?? 0
            // All bits set: none is suppressed.
            case Int(FRA_SUPPRESS_PREFIXLEN): rule.suppressedPrefixLength = $0.u32.flatMap { $0 == .max ? nil : $0 }
            default: break
            }
        }
        return isOurs ? rule : nil
    }

    private mutating func exchange(_ type: CInt, _ flags: CInt, _ rule: RoutingRule) throws(NetlinkError) {
        var head = fib_rule_hdr()
        head.family = Self.family(rule.family)
        head.action = UInt8(FR_ACT_TO_TBL)
        head.flags = UInt32(FIB_RULE_INVERT)
        var request = NetlinkRequest(type, flags: flags)
        request.put(header: head)
        request.put(Int(FRA_TABLE), rule.table)
        request.put(Int(FRA_FWMARK), rule.unlessMarked)
        request.put(Int(FRA_PROTOCOL), byte: RoutingRule.protocolNumber)
        if let length = rule.suppressedPrefixLength { request.put(Int(FRA_SUPPRESS_PREFIXLEN), length) }
        try socket.exchange(request)
    }
}
