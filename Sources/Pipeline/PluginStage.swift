import Wire

/// A stage that a file may add to the path: it is made from its options alone, and gets them typed.
///
/// Its folder is under `Plugins/`; Plugins/README.md tells how to write one.
public protocol PluginStage: Stage {
    /// What stands under its name in the pipeline.
    associatedtype Options: OptionRecord = NoOptions
    /// What stands under its name in a peer.
    associatedtype PeerOptions: OptionRecord = NoOptions
    /// What stands under its name in a group of peers.
    associatedtype GroupOptions: OptionRecord = NoOptions

    /// One worker's instance. Its peers follow, each by `set`.
    init(_ options: Options, _ environment: StageEnvironment)

    /// As `set(_:options:)`. A stage without options for peers that keeps nothing for them can do without.
    func set(_ peer: PeerID, _ options: PeerOptions?)
    /// As `set(_:options:)` for groups.
    func set(_ group: GroupID, _ options: GroupOptions?)
    /// As `reconfigure(_:)`; without it a stage whose options change is made anew.
    func reconfigure(_ options: Options) -> Bool
}

/// What a stage is made in.
public struct StageEnvironment {
    /// How often at one moment a worker asks a stage to `originate`, at the most: one that owes for ever does not keep it from
    /// its ends.
    @inlinable public static var originationBound: Int { 8 }

    /// The worker whose instance it is, from 0.
    public let worker: Int
    public let workers: Int
    /// How many interfaces the router may come to have; `InterfaceID.index` is below it.
    public let interfaces: Int
    /// The worker's spare buffers.
    public let pool: BufferPool
    public let now: Instant
    /// Random and the worker's own: for hashing what strangers choose.
    public let hashKey: SIMD2<UInt64>
    /// For what goes by the calendar, to be asked seldom and never for timers.
    public let wallTime: @Sendable () -> WallTime

    public init(
        worker: Int = 0, workers: Int = 1, interfaces: Int = 1, pool: BufferPool, now: Instant,
        hashKey: SIMD2<UInt64> = SIMD2(), wallTime: @escaping @Sendable () -> WallTime = Self.noWallTime
    ) {
        self.worker = worker
        self.workers = workers
        self.interfaces = interfaces
        self.pool = pool
        self.now = now
        self.hashKey = hashKey
        self.wallTime = wallTime
    }

    /// 1970: for stages that do not ask.
    public static let noWallTime: @Sendable () -> WallTime = { WallTime(seconds: 0, nanoseconds: 0) }
}

/// The options of a stage, or a peer's or a group's for it, where it has none.
public struct NoOptions: OptionRecord {
    public init() {}
    public init?(_ options: inout OptionReader) {}
}

// Only where there are none: a stage that has options and would not be told of them does not compile.
extension PluginStage where PeerOptions == NoOptions {
    public func set(_ peer: PeerID, _ options: NoOptions?) {}
}

extension PluginStage where GroupOptions == NoOptions {
    public func set(_ group: GroupID, _ options: NoOptions?) {}
}

extension PluginStage {
    public func reconfigure(_ options: Options) -> Bool { false }

    // What the reader of files has made by this stage's own schema is of its types.
    public func set(_ peer: PeerID, options: (any OptionRecord)?) { set(peer, options as? PeerOptions) }

    public func set(_ group: GroupID, options: (any OptionRecord)?) { set(group, options as? GroupOptions) }

    public func reconfigure(_ options: (any OptionRecord)?) -> Bool {
        guard let options = options as? Options ?? NoOptions() as? Options else { return false }
        return reconfigure(options)
    }
}

extension StageSchema {
    /// What a plugin says of itself.
    public init<Plugin: PluginStage>(_ plugin: Plugin.Type) {
        self.init(
            Plugin.declaration, options: Self.options(Plugin.Options.self),
            peerOptions: Self.options(Plugin.PeerOptions.self), groupOptions: Self.options(Plugin.GroupOptions.self)
        ) { options, environment in
            guard let options = options as? Plugin.Options ?? NoOptions() as? Plugin.Options else {
                preconditionFailure("the options of \(Plugin.declaration.name) were not read by its schema")
            }
            return Plugin(options, environment)
        }
    }

    private static func options(_ type: any OptionRecord.Type) -> (any OptionRecord.Type)? {
        type == NoOptions.self ? nil : type
    }
}
