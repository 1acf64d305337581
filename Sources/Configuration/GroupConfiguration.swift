import Pipeline

/// Peers that share what stages give to them together.
package struct GroupConfiguration: Sendable {
    package var name: Located<String>
    /// At least one; each is in one group only.
    package var peers: [PeerReference]
    /// Options of stages for the group, by the stage's name.
    package var stageOptions: [String: any OptionRecord]

    package init(name: Located<String>, peers: [PeerReference], stageOptions: [String: any OptionRecord] = [:]) {
        self.name = name
        self.peers = peers
        self.stageOptions = stageOptions
    }
}

extension GroupConfiguration: Equatable {
    package static func == (a: GroupConfiguration, b: GroupConfiguration) -> Bool {
        a.name == b.name && a.peers == b.peers && a.stageOptions.keys == b.stageOptions.keys
            && a.stageOptions.allSatisfy { areEqual($0.value, b.stageOptions[$0.key]) }
    }
}

/// A peer of the file.
package struct PeerReference: Hashable, Sendable {
    package let interface: String
    package let name: String

    package init(interface: String, name: String) {
        self.interface = interface
        self.name = name
    }
}
