import Wire

/// What the whole file says that a stage's options may speak of: zones, tunnels, peers, the other stages.
///
/// Made when a file has been read; for a router that runs it is made anew with what has become of peers and ports.
package struct FileContext: Sendable {
    package struct Tunnel: Sendable, Hashable {
        package var name: String
        /// 0 while the kernel is to choose it.
        package var listenPort: UInt16
        package var addresses: [IPAddress]

        package init(name: String, listenPort: UInt16, addresses: [IPAddress]) {
            self.name = name
            self.listenPort = listenPort
            self.addresses = addresses
        }
    }

    package struct Peer: Sendable, Hashable {
        package var name: PeerName
        /// Its allowed-ips.
        package var prefixes: [Prefix]

        package init(name: PeerName, prefixes: [Prefix]) {
            self.name = name
            self.prefixes = prefixes
        }
    }

    /// One entry of the pipeline.
    package struct Stage: Sendable {
        package var name: Located<String>
        package var options: (any OptionRecord)?

        package init(name: Located<String>, options: (any OptionRecord)?) {
            self.name = name
            self.options = options
        }
    }

    /// The router's name.
    package var router: String
    /// The file's name without its folder, for `router.yaml:31`.
    package var file: String
    package var tunnels: [Tunnel]
    package var peers: [Peer]
    package var zones: [Zone]
    package var stages: [Stage]
    package var tests: [Located<PolicyTest>]

    package init(
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
    package func line(_ position: SourcePosition) -> String { "\(file):\(position.line)" }

    package func zone(_ name: String) -> Zone? { zones.first { $0.name.value == name } }

    /// The peers that a text may mean: one, none, or where two tunnels have one of the name several.
    package func peers(called text: String) -> [PeerName] {
        peers.map(\.name).filter { $0.name == text || $0.description == text }
    }

    /// The peers of a zone, as far as there are any.
    package func peers(of zone: Zone) -> [PeerName] { zone.members.peers.flatMap { peers(called: $0.value) } }
}

/// A peer by its tunnel and its name, which is unique in the tunnel.
package struct PeerName: Sendable, Hashable, CustomStringConvertible {
    package let tunnel: String
    package let name: String

    package init(tunnel: String, name: String) {
        self.tunnel = tunnel
        self.name = name
    }

    package var description: String { "\(tunnel)/\(name)" }
}

/// Options that can be judged only with the whole file at hand: that name zones or peers, or that another stage's options
/// may contradict.
package protocol ContextualOptions: OptionRecord {
    /// Called once when all of the file has been read. What is wrong is an error or a warning at the position that the
    /// record has kept (`Located`).
    func resolve(in context: FileContext, _ diagnostics: Diagnostics)
    /// Whether it judges the file's `tests`.
    var judgesTests: Bool { get }
}

extension ContextualOptions {
    package var judgesTests: Bool { false }
}

extension Zone {
    package func holds(interface name: String) -> Bool {
        InterfacePattern(name).map { name in patterns.contains { $0.value.contains(name) } } ?? false
    }
}
