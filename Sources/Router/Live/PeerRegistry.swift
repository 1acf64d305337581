import AllowedIPs
import Configuration
import Control
import Crypto
import Linux
import Locking
import Pipeline
import Wire
import WireGuard

/// The control plane's memory: which interfaces and peers the router has, whatever file or client they came from.
///
/// Workers do not look at it. What changes here is then brought to them (`LiveChanges`), so that for a moment it is
/// ahead of them.
package final class PeerRegistry: Sendable {
    /// The most peers of a router, however many interfaces they are on.
    package static let peerBound = Limits.peers

    struct Contents {
        var interfaces: [RegisteredInterface] = []
        /// How many interfaces there may be.
        var slots = 0
        /// By `PeerID.index`.
        var peers: [RegisteredPeer?] = []
        var count = 0
        var numbers = PeerNumbers()
        var serials: UInt64 = 0
        /// Peers by worker.
        var loads: [Int]
        /// Interfaces that have a peer of the name.
        var nameUses: [String: Int] = [:]
        /// By `GroupID.index`.
        var groups: [RegisteredGroup?] = []
        /// Of each peer of the file that is in one.
        var groupOf: [PeerIdentity: GroupID] = [:]
    }

    let contents: Guarded<Contents>

    /// The peers of a file, with their numbers and workers from the plan; loads their secrets.
    init(_ plan: RouterPlan, _ keys: KeyFile) throws(KeyProblem) {
        var secrets: [InterfaceSecrets] = []
        for interface in plan.interfaces { secrets.append(try InterfaceSecrets(interface.configuration, keys)) }
        let loaded = secrets
        contents = Guarded(Contents(plan, loaded))
    }

    /// Makes the change here, where it is wholly possible, and says what the workers have to do for it. What it says of
    /// port and mark is the caller's.
    func commit(_ change: DeviceChange, on interface: InterfaceID) throws(Errno) -> Edit {
        try contents.withLock { contents throws(Errno) in try contents.carryOut(change, on: interface) }
    }

    /// Makes an interface's peers and its identity what a file says, and tells what the workers have to do for it. What clients
    /// have changed is undone by that.
    func commit(_ file: InterfaceFile, on interface: InterfaceID) -> Edit {
        contents.withLock { $0.carryOut(file, on: interface) }
    }

    /// Whether there is room for all peers of `files`, beside those that they do not know, and for so many more (P-8.15).
    func hasRoom(for files: [(InterfaceID, InterfaceFile)], and more: Int) -> Bool {
        contents.withLock { contents in
            let added = files.reduce(more) { sum, file in
                let known = contents.interfaces[file.0.index].peers
                return sum + file.1.configuration.peers.count { known[$0.publicKey.value] == nil }
            }
            return contents.count + added <= Self.peerBound
        }
    }

    /// Each worker's peers with their options for stages, as the file gives them.
    func stageOptions() -> [StageOptions] {
        contents.withLock { contents in
            var result = contents.loads.map { _ in StageOptions() }
            for case let group? in contents.groups {
                result[group.worker].groups.append((group.id, group.stageOptions))
            }
            for case let peer? in contents.peers {
                result[peer.worker].peers.append((peer.id, peer.group, peer.configuration?.stageOptions ?? [:]))
            }
            return result
        }
    }

    /// What the file says of one worker's groups and peers, by stage.
    struct StageOptions: Sendable {
        var groups: [(group: GroupID, options: [String: any OptionRecord])] = []
        var peers: [(peer: PeerID, group: GroupID?, options: [String: any OptionRecord])] = []
    }

    /// Those of one worker.
    func groups(of worker: Int) -> [RegisteredGroup] {
        contents.withLock { $0.groups.compactMap { $0 }.filter { $0.worker == worker } }
    }

    /// Takes note of how the interface's sockets and its link are now.
    func update(_ id: InterfaceID, _ body: (inout RegisteredInterface) -> Void) {
        contents.withLock { body(&$0.interfaces[id.index]) }
    }

    /// These numbers mean nobody to any worker.
    func giveBack(_ numbers: [PeerID]) { contents.withLock { $0.numbers.giveBack(numbers) } }

    // MARK: Looking things up

    subscript(id: PeerID) -> RegisteredPeer? { contents.withLock { $0[id] } }

    /// Runs `body` with the owner of the peer if `number` still means the one with this key. What it posts to the owner
    /// arrives before the peer's end does.
    func withOwner(of number: PeerID, _ publicKey: PublicKey, _ body: (_ worker: Int) -> Void) {
        contents.withLock { contents in
            if let peer = contents[number], peer.publicKey == publicKey { body(peer.worker) }
        }
    }

    /// What a peer is called in logs: `berlin`, or `wg0/berlin` where two interfaces have one.
    func displayName(_ id: PeerID) -> String {
        contents.withLock { contents in
            guard let peer = contents[id] else { return "a peer that is gone" }
            return contents.displayName(peer)
        }
    }

    /// What is known of one interface, its peers in the order in which they came.
    struct View: Sendable {
        let name: String
        let addresses: [String]
        let privateKey: Shared<PrivateKey>?
        let listenPort: UInt16
        let fwmark: UInt32
        let isMarkFixed: Bool
        let mtu: Int
        let routeMTUs: Set<Int>
        let isUp: Bool
        let isBound: Bool
        let peers: [(peer: RegisteredPeer, prefixes: [Prefix])]
    }

    /// `peers`: false leaves them out.
    func view(_ id: InterfaceID, peers: Bool = true) -> View { contents.withLock { $0.view(id, peers) } }

    func mark(_ id: InterfaceID) -> UInt32 { contents.withLock { $0.interfaces[id.index].fwmark } }
}

extension PeerRegistry.Contents {
    init(_ plan: RouterPlan, _ secrets: [InterfaceSecrets]) {
        loads = Array(repeating: 0, count: plan.workers)
        groups = plan.groups.map { group in
            RegisteredGroup(
                id: group.id, name: group.configuration.name.value, worker: group.worker,
                stageOptions: group.configuration.stageOptions)
        }
        slots = plan.slots
        for interface in plan.interfaces {
            let configuration = interface.configuration
            var registered = RegisteredInterface(
                id: interface.id, name: configuration.name.value,
                addresses: configuration.addresses.map(\.value.description),
                privateKey: secrets[interface.id.index].privateKey, listenPort: configuration.listenPort.value,
                fwmark: configuration.fwmark, isMarkFixed: configuration.takesDefaultRoute, mtu: configuration.mtu,
                isUp: true, isBound: true)
            for peer in interface.peers {
                // The plan counts as we do.
                _ = numbers.take()
                if let group = peer.group {
                    groupOf[PeerIdentity(interface: interface.id, publicKey: peer.configuration.publicKey.value)] =
                        group
                }
                insert(
                    RegisteredPeer(
                        id: peer.id, interface: interface.id, publicKey: peer.configuration.publicKey.value,
                        name: peer.configuration.name.value, worker: peer.worker, serial: serials, group: peer.group,
                        configuration: peer.configuration, toldEndpoint: peer.configuration.endpoint?.value,
                        presharedKey: secrets[interface.id.index].presharedKeys[peer.configuration.publicKey.value],
                        persistentKeepalive: peer.configuration.keepaliveSeconds))
                registered.peers[peer.configuration.publicKey.value] = peer.id
                for prefix in peer.configuration.allowedIPs {
                    registered.routes.prefixes.insert(prefix.value, peer: peer.id)
                }
            }
            interfaces.append(registered)
        }
    }

    subscript(id: PeerID) -> RegisteredPeer? { peers.indices.contains(id.index) ? peers[id.index] : nil }

    /// Enters a peer; its interface's list is the caller's.
    mutating func insert(_ peer: RegisteredPeer) {
        while peers.count <= peer.id.index { peers.append(nil) }
        peers[peer.id.index] = peer
        count += 1
        serials += 1
        loads[peer.worker] += 1
        nameUses[peer.name, default: 0] += 1
    }

    mutating func remove(_ peer: RegisteredPeer) {
        peers[peer.id.index] = nil
        count -= 1
        loads[peer.worker] -= 1
        if let uses = nameUses[peer.name] { nameUses[peer.name] = uses > 1 ? uses - 1 : nil }
    }

    /// The one with the fewest peers.
    var leastLoadedWorker: Int { loads.indices.min { loads[$0] < loads[$1] } ?? 0 }

    func displayName(_ peer: RegisteredPeer) -> String {
        nameUses[peer.name] == 1 ? peer.name : "\(interfaces[peer.interface.index].name)/\(peer.name)"
    }

    func view(_ id: InterfaceID, _ peers: Bool) -> PeerRegistry.View {
        let interface = interfaces[id.index]
        let numbers = peers ? Array(interface.peers.values) : []
        // Sorted by pairs of numbers: a peer is much to move.
        let inOrder = numbers.map { (serial: self[$0]?.serial ?? 0, number: $0) }.sorted { $0.serial < $1.serial }
        return PeerRegistry.View(
            name: interface.name, addresses: interface.addresses, privateKey: interface.privateKey,
            listenPort: interface.listenPort, fwmark: interface.fwmark, isMarkFixed: interface.isMarkFixed,
            mtu: interface.mtu, routeMTUs: interface.routeMTUs,
            isUp: interface.isUp, isBound: interface.isBound,
            peers: inOrder.compactMap { entry in
                self[entry.number].map { ($0, interface.routes.prefixes.prefixes(of: entry.number)) }
            })
    }
}
