import Wire

/// One step of the packet path.
///
/// There is one instance a worker, and a worker calls its instances from its own thread alone: a stage keeps plain
/// state and needs no locks. A peer belongs to one worker, so its per-peer state is in one instance only. A stage
/// reads no clock and does no I/O; time, interface and packets come with the batch.
///
/// A stage may keep packets (verdict `take`), within a bound of its own, and release them later: it names when in
/// `nextDeadline`, and is then asked to `originate`.
public protocol Stage: AnyObject, SendableMetatype {
    /// What the stage is called, what it needs and provides. The same for every instance.
    static var declaration: StageDeclaration { get }

    /// Packets on their way from TUN to the wire.
    func outbound(_ batch: inout PacketBatch)
    /// Packets on their way from the wire to TUN.
    func inbound(_ batch: inout PacketBatch)

    /// When `originate` is to be called at the latest; `Instant.never` while nothing is owed. Asked after every call.
    var nextDeadline: Instant { get }
    /// Puts what is due on the batches' interface into them, which are empty: into `down` what the stages below are to
    /// get, into `up` what those above are.
    /// What finds no room waits, with `nextDeadline` still due.
    func originate(down: inout PacketBatch, up: inout PacketBatch)

    /// Something that an end found out about a peer of this worker.
    func take(_ notice: Notice)

    /// A peer has come to this worker, or its options for this stage are others than before (nil: the file gives none).
    /// What is kept for it stays.
    func set(_ peer: PeerID, options: (any OptionRecord)?)
    /// A peer is gone, or no longer this worker's: forget it, and drop what is kept for it.
    func remove(_ peer: PeerID)

    /// There is a group of peers, all of this worker, or its options for this stage are others than before (nil: the file
    /// gives none). It is told of before any of its peers.
    func set(_ group: GroupID, options: (any OptionRecord)?)
    /// Which group a peer is in, nil for none; said before its options when it comes, and when it changes. A peer that
    /// nothing was said of is in none.
    func set(_ peer: PeerID, group: GroupID?)
    /// A group is gone; none of this worker's peers is in it.
    func remove(_ group: GroupID)

    /// New options of the stage itself, without losing state; false when only a new instance will do.
    func reconfigure(_ options: (any OptionRecord)?) -> Bool

    /// The stage leaves the pipeline: whatever it keeps of the batches' interface goes into them, due or not. Called until
    /// nothing comes.
    func release(down: inout PacketBatch, up: inout PacketBatch)

    /// Undoes in the beginning of a packet to `peer` what `outbound` has changed in it: it was not delivered, and its sender is
    /// to be told of it as it was sent.
    func restore(_ beginning: UnsafeMutableRawBufferPointer, to peer: PeerID)

    /// The counters as they stand, for `show` and metrics. Called between two batches.
    var report: StageReport { get }
}

extension Stage {
    public func outbound(_ batch: inout PacketBatch) {}
    public func inbound(_ batch: inout PacketBatch) {}
    public var nextDeadline: Instant { .never }
    public func originate(down: inout PacketBatch, up: inout PacketBatch) {}
    public func take(_ notice: Notice) {}
    public func set(_ peer: PeerID, options: (any OptionRecord)?) {}
    public func remove(_ peer: PeerID) {}
    public func set(_ group: GroupID, options: (any OptionRecord)?) {}
    public func set(_ peer: PeerID, group: GroupID?) {}
    public func remove(_ group: GroupID) {}
    public func reconfigure(_ options: (any OptionRecord)?) -> Bool { options == nil }
    public func release(down: inout PacketBatch, up: inout PacketBatch) {}
    public func restore(_ beginning: UnsafeMutableRawBufferPointer, to peer: PeerID) {}
    public var report: StageReport { StageReport() }
}
