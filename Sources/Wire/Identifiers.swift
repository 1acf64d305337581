/// A peer's number, unique in the router and dense from 0, so that per-peer state is an array element.
public struct PeerID: Hashable, Sendable, BitwiseCopyable {
    public let rawValue: Int32
    @inlinable public init(_ rawValue: Int) { self.rawValue = Int32(truncatingIfNeeded: rawValue) }
    @inlinable public var index: Int { Int(rawValue) }
    /// What stands in a packet whose peer is not known yet.
    @inlinable public static var none: PeerID { PeerID(-1) }
}

/// The number of a group of peers, unique in the router and dense from 0.
public struct GroupID: Hashable, Sendable {
    public let rawValue: Int32
    @inlinable public init(_ rawValue: Int) { self.rawValue = Int32(truncatingIfNeeded: rawValue) }
    @inlinable public var index: Int { Int(rawValue) }
}

/// A WireGuard interface's number, unique in the router and dense from 0.
public struct InterfaceID: Hashable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(_ rawValue: Int) { self.rawValue = UInt16(truncatingIfNeeded: rawValue) }
    @inlinable public var index: Int { Int(rawValue) }
}
