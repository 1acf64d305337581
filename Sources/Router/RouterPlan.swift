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
        /// `berlin`, or `wg0/berlin` where two interfaces have one.
        let displayName: String
        let configuration: Configuration.PeerConfiguration
    }

    package let configuration: RouterConfiguration
    package let workers: Int
    package let interfaces: [Interface]
    /// How many interfaces there may come to be, those of the file included.
    package let slots: Int
    /// By `PeerID.index`.
    let peers: [Peer]

    /// Interfaces that may come by reloads: an empty slot costs a worker some kilobytes.
    package static let spareSlots = 8

    /// Spreads the peers evenly over `cores` workers, or as many as the file says.
    package init(_ configuration: RouterConfiguration, cores: Int, spareSlots: Int = spareSlots) {
        let workers =
            switch configuration.runtime.workers {
            case .auto: min(max(1, cores), WorkerCount.maximum)
            case .count(let count): count
            }
        var uses: [String: Int] = [:]
        for interface in configuration.interfaces {
            for peer in interface.peers { uses[peer.name.value, default: 0] += 1 }
        }
        var peers: [Peer] = []
        var interfaces: [Interface] = []
        for (index, interface) in configuration.interfaces.enumerated() {
            let first = peers.count
            for peer in interface.peers {
                let name = peer.name.value
                peers.append(
                    Peer(
                        id: PeerID(peers.count), worker: peers.count % workers,
                        displayName: uses[name] == 1 ? name : "\(interface.name.value)/\(name)", configuration: peer))
            }
            interfaces.append(
                Interface(id: InterfaceID(index), configuration: interface, peers: Array(peers[first...])))
        }
        self.configuration = configuration
        self.workers = workers
        self.interfaces = interfaces
        slots = interfaces.count + spareSlots
        self.peers = peers
    }
}
