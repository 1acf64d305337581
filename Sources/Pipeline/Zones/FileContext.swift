import Wire

/// What the whole file says that a stage's options may speak of: zones, tunnels, peers, the other stages.
///
/// Made when a file has been read; for a router that runs it is made anew with what has become of peers and ports.
public struct FileContext: Sendable {
    public struct Tunnel: Sendable, Hashable {
        public var name: String
        /// 0 while the kernel is to choose it.
        public var listenPort: UInt16
        /// While the port changes: those from before. Empty at other times.
        public var formerPorts: Set<UInt16> = []
        public var addresses: [IPAddress]

        /// Where its peers may send to: two while the port changes, none while the kernel is to choose it.
        public var openPorts: Set<UInt16> { formerPorts.union(listenPort == 0 ? [] : [listenPort]) }

        public init(name: String, listenPort: UInt16, addresses: [IPAddress]) {
            self.name = name
            self.listenPort = listenPort
            self.addresses = addresses
        }
    }

    public struct Peer: Sendable, Hashable {
        public var name: PeerName
        /// Its allowed-ips.
        public var prefixes: [Prefix]

        public init(name: PeerName, prefixes: [Prefix]) {
            self.name = name
            self.prefixes = prefixes
        }
    }

    /// One entry of the pipeline.
    public struct Stage: Sendable {
        public var name: Located<String>
        public var options: (any OptionRecord)?

        public init(name: Located<String>, options: (any OptionRecord)?) {
            self.name = name
            self.options = options
        }
    }

    /// The router's name.
    public var router: String
    /// The file's name without its folder, for `router.yaml:31`.
    public var file: String
    public var tunnels: [Tunnel]
    public var peers: [Peer]
    /// While peers change: the file's context after and before. Empty at other times.
    public var versions: [FileContext] = []
    public var zones: [Zone]
    public var stages: [Stage]
    public var tests: [Located<PolicyTest>]

    public init(
        router: String, file: String, tunnels: [Tunnel] = [], peers: [Peer] = [], zones: [Zone] = [],
        stages: [Stage] = [], tests: [Located<PolicyTest>] = []
    ) {
        self.router = router
        self.file = file
        self.tunnels = tunnels
        self.peers = peers
        self.zones = zones
        self.stages = stages
        self.tests = tests
    }

    /// `router.yaml:31`
    public func line(_ position: SourcePosition) -> String { "\(file):\(position.line)" }

    /// The UDP ports of all tunnels, in their order.
    public var openPorts: [UInt16] { Set(tunnels.flatMap(\.openPorts)).sorted() }

    public func zone(_ name: String) -> Zone? { zones.first { $0.name.value == name } }

    /// The peers that a text may mean: one, none, or where two tunnels have one of the name several.
    public func peers(called text: String) -> [PeerName] {
        peers.map(\.name).filter { $0.name == text || $0.description == text }
    }

    /// The peers of a zone, as far as there are any.
    public func peers(of zone: Zone) -> [PeerName] { zone.members.peers.flatMap { peers(called: $0.value) } }
}

/// A peer by its tunnel and its name, which is unique in the tunnel.
public struct PeerName: Sendable, Hashable, CustomStringConvertible {
    public let tunnel: String
    public let name: String

    public init(tunnel: String, name: String) {
        self.tunnel = tunnel
        self.name = name
    }

    public var description: String { "\(tunnel)/\(name)" }
}

/// Options that can be judged only with the whole file at hand: that name zones or peers, or that another stage's options
/// may contradict.
public protocol ContextualOptions: OptionRecord {
    /// Called once when all of the file has been read. What is wrong is an error or a warning at the position that the
    /// record has kept (`Located`).
    func resolve(in context: FileContext, _ diagnostics: Diagnostics)
    /// Whether it judges the file's `tests`.
    var judgesTests: Bool { get }
}

extension ContextualOptions {
    public var judgesTests: Bool { false }
}

extension Zone {
    public func holds(interface name: String) -> Bool {
        InterfacePattern(name).map { name in patterns.contains { $0.value.contains(name) } } ?? false
    }
}
