import Configuration
import Crypto
import Linux
import Pipeline
import Wire

/// A router file with its numbers given out: which interface, peer and worker is which.
package struct RouterPlan: Sendable {
    package struct Interface: Sendable {
        let id: InterfaceID
        let configuration: InterfaceConfiguration
        let peers: [Peer]
    }

    package struct Peer: Sendable {
        let id: PeerID
        /// The worker that owns it.
        let worker: Int
        /// nil for one in no group.
        let group: GroupID?
        let configuration: Configuration.PeerConfiguration
    }

    /// Peers that have one owner, because they share what it keeps for them.
    struct Group: Sendable {
        let id: GroupID
        let worker: Int
        let configuration: GroupConfiguration
    }

    package let configuration: RouterConfiguration
    package let workers: Int
    /// By `GroupID.index`.
    let groups: [Group]
    package let interfaces: [Interface]
    /// How many interfaces there may come to be, those of the file included.
    package let slots: Int
    let peerCount: Int

    /// Interfaces that may come by reloads: an empty slot costs a worker some kilobytes.
    package static let spareSlots = 8

    /// Spreads the peers evenly over `cores` workers, or as many as the file says; those of a group are together.
    package init(_ configuration: RouterConfiguration, cores: Int, spareSlots: Int = spareSlots) {
        let workers =
            switch configuration.runtime.workers {
            case .auto: min(max(1, cores), WorkerCount.maximum)
            case .count(let count): count
            }
        var placement = Placement(configuration.groups, workers: workers)
        var count = 0
        var interfaces: [Interface] = []
        for (index, interface) in configuration.interfaces.enumerated() {
            let peers = interface.peers.map { peer in
                let (worker, group) = placement.place(
                    PeerReference(interface: interface.name.value, name: peer.name.value))
                defer { count += 1 }
                return Peer(id: PeerID(count), worker: worker, group: group, configuration: peer)
            }
            interfaces.append(Interface(id: InterfaceID(index), configuration: interface, peers: peers))
        }
        self.configuration = configuration
        self.workers = workers
        self.interfaces = interfaces
        slots = interfaces.count + spareSlots
        peerCount = count
        groups = configuration.groups.enumerated().map { index, group in
            Group(id: GroupID(index), worker: placement.workersOfGroups[index] ?? 0, configuration: group)
        }
    }
}

/// Gives each peer the worker that has the fewest, and those of a group the same.
private struct Placement {
    private let groups: [GroupConfiguration]
    private let groupOf: [PeerReference: Int]
    private var loads: [Int]
    /// By the group's index, once its first peer has a place.
    private(set) var workersOfGroups: [Int: Int] = [:]

    init(_ groups: [GroupConfiguration], workers: Int) {
        self.groups = groups
        groupOf = groups.enumerated().reduce(into: [:]) { result, group in
            for peer in group.element.peers { result[peer] = group.offset }
        }
        loads = Array(repeating: 0, count: workers)
    }

    mutating func place(_ peer: PeerReference) -> (worker: Int, group: GroupID?) {
        guard let group = groupOf[peer] else { return (take(1), nil) }
        let worker = workersOfGroups[group] ?? take(groups[group].peers.count)
        workersOfGroups[group] = worker
        return (worker, GroupID(group))
    }

    private mutating func take(_ count: Int) -> Int {
        let worker = loads.indices.min { loads[$0] < loads[$1] } ?? 0
        loads[worker] += count
        return worker
    }
}
