import Configuration
import Locking
import Pipeline
import Wire

/// What a file makes of the groups of a running router.
struct GroupChange {
    /// By `GroupID.index`, as they are to be.
    fileprivate var groups: [RegisteredGroup?]
    fileprivate var groupOf: [PeerIdentity: GroupID] = [:]
    /// Those that are new or have other options, for their owners.
    var settings: [RegisteredGroup] = []
    /// Those that go, once their peers have left them.
    var removals: [RegisteredGroup] = []
    /// For people: `group guests: new`.
    var summary: [String] = []
}

// Peers go from one group to another with what stages keep for them, as far as they stay with their worker: all peers of a
// group are one worker's, and a peer cannot change its own.
extension PeerRegistry {
    /// What is to be changed so that the groups are those of `said`, whose peers are on `interfaces`. Throws a sentence for
    /// each group that would have to have two workers.
    func change(
        to said: [GroupConfiguration], on interfaces: [(id: InterfaceID, file: InterfaceFile)], of file: String
    ) throws(ReloadProblem) -> GroupChange {
        try contents.withLock { contents throws(ReloadProblem) in try contents.change(to: said, interfaces, file) }
    }

    /// To be called before the peers' part of the change: those that come find their groups here.
    func commit(_ change: GroupChange) {
        contents.withLock { contents in
            contents.groups = change.groups
            contents.groupOf = change.groupOf
        }
    }
}

extension PeerRegistry.Contents {
    fileprivate func change(
        to said: [GroupConfiguration], _ interfaces: [(id: InterfaceID, file: InterfaceFile)], _ file: String
    ) throws(ReloadProblem) -> GroupChange {
        var change = GroupChange(groups: groups)
        var reasons: [String] = []
        var identities: [PeerReference: PeerIdentity] = [:]
        for (id, file) in interfaces where !said.isEmpty {
            let name = file.configuration.name.value
            for peer in file.configuration.peers {
                identities[PeerReference(interface: name, name: peer.name.value)] =
                    PeerIdentity(interface: id, publicKey: peer.publicKey.value)
            }
        }
        for group in said {
            let members = group.peers.compactMap { reference in identities[reference].map { (reference.name, $0) } }
            let known = groups.firstIndex { $0?.name == group.name.value }
            let worker = known.flatMap { groups[$0]?.worker } ?? members.lazy.compactMap { self.worker(of: $0.1) }.first
            if let worker, let other = members.first(where: { self.worker(of: $0.1).map { $0 != worker } ?? false }) {
                let place = "\(file):\(group.name.position)"
                reasons.append(
                    "\(place): peer \(other.0) cannot join group \(group.name.value), whose peers are another worker's")
            }
            let id = change.enter(group, known, worker ?? leastLoadedWorker)
            for (_, identity) in members { change.groupOf[identity] = id }
        }
        guard reasons.isEmpty else { throw .needsRestart(reasons) }
        change.removeAll { name in !said.contains { $0.name.value == name } }
        return change
    }

    /// nil for a peer that is not there yet.
    private func worker(of peer: PeerIdentity) -> Int? {
        interfaces.indices.contains(peer.interface.index)
            ? interfaces[peer.interface.index].peers[peer.publicKey].flatMap { self[$0]?.worker } : nil
    }
}

extension GroupChange {
    fileprivate init(groups: [RegisteredGroup?]) { self.groups = groups }

    /// A group of the file; `known` is its index where it is there.
    fileprivate mutating func enter(_ said: GroupConfiguration, _ known: Int?, _ worker: Int) -> GroupID {
        // Numbers of groups that go are not free before those have gone.
        let index = known ?? groups.firstIndex { $0 == nil } ?? groups.count
        if index == groups.count { groups.append(nil) }
        let before = groups[index]
        let group = RegisteredGroup(
            id: GroupID(index), name: said.name.value, worker: worker, stageOptions: said.stageOptions)
        groups[index] = group
        if let before, Self.isSame(before.stageOptions, said.stageOptions) { return group.id }
        settings.append(group)
        summary.append("group \(group.name): \(before == nil ? "new" : "changed")")
        return group.id
    }

    private static func isSame(_ a: [String: any OptionRecord], _ b: [String: any OptionRecord]) -> Bool {
        a.keys == b.keys && a.allSatisfy { areEqual($0.value, b[$0.key]) }
    }

    fileprivate mutating func removeAll(where isGone: (String) -> Bool) {
        for index in groups.indices {
            guard let group = groups[index], isGone(group.name) else { continue }
            groups[index] = nil
            removals.append(group)
            summary.append("group \(group.name): gone")
        }
    }
}
