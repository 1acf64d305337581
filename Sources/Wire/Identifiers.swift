/// A peer's number, unique in the router and dense from 0, so that per-peer state is an array element.
package struct PeerID: Hashable, Sendable {
    package let rawValue: Int32
    @inlinable package init(_ rawValue: Int) { self.rawValue = Int32(truncatingIfNeeded: rawValue) }
    @inlinable package var index: Int { Int(rawValue) }
    /// What stands in a packet whose peer is not known yet.
    package static let none = PeerID(-1)
}

/// The number of a group of peers, unique in the router and dense from 0.
package struct GroupID: Hashable, Sendable {
    package let rawValue: Int32
    @inlinable package init(_ rawValue: Int) { self.rawValue = Int32(truncatingIfNeeded: rawValue) }
    @inlinable package var index: Int { Int(rawValue) }
}

/// A WireGuard interface's number, unique in the router and dense from 0.
package struct InterfaceID: Hashable, Sendable {
    package let rawValue: UInt16
    @inlinable package init(_ rawValue: Int) { self.rawValue = UInt16(truncatingIfNeeded: rawValue) }
    @inlinable package var index: Int { Int(rawValue) }
}
