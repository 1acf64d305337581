import AllowedIPs
import Configuration
import Control
import Crypto
import Glibc
import Linux
import Pipeline
import Wire
import WireGuard

// A change in the registry's contents, and what the workers have to do for it (P-8.1…P-8.11). Whatever can stand in its
// way is looked at first; from then on nothing can fail.
extension PeerRegistry.Contents {
    mutating func carryOut(_ change: DeviceChange, on id: InterfaceID) throws(Errno) -> Edit {
        try checkCount(after: change, on: id)
        return make(change, on: id, EditDraft())
    }

    /// Makes a change that there is room for. What `draft` says of a file goes with it.
    mutating func make(_ change: DeviceChange, on id: InterfaceID, _ start: EditDraft) -> Edit {
        var draft = start
        var identityChanges = false
        if let key = change.privateKey { identityChanges = setPrivateKey(key, on: id) }
        if change.replacesPeers {
            for number in Array(interfaces[id.index].peers.values) { removePeer(number, &draft) }
        }
        // A peer with our own key is none (P-8.1, P-8.5).
        let own = interfaces[id.index].publicKey
        if let own, let number = interfaces[id.index].peers[own] { removePeer(number, &draft) }
        for peer in change.peers where peer.publicKey != own { take(peer, on: id, &draft) }
        return finish(draft, on: id, identityChanges: identityChanges)
    }

    /// ENOMEM where it would be too many (P-8.15), counted before anything is changed.
    private func checkCount(after change: DeviceChange, on id: InterfaceID) throws(Errno) {
        let known = interfaces[id.index].peers
        guard count + change.peers.count > PeerRegistry.peerBound else { return }
        var keys = change.replacesPeers ? [] : Set(known.keys)
        for peer in change.peers {
            if peer.isRemoval {
                keys.remove(peer.publicKey)
            } else if !peer.isUpdateOnly {
                keys.insert(peer.publicKey)
            }
            guard count - known.count + keys.count <= PeerRegistry.peerBound else { throw Errno(ENOMEM) }
        }
    }

    /// True when the interface is somebody else now. The key that it has already is none of its changes (P-8.1).
    private mutating func setPrivateKey(_ key: DeviceChange.Key, on id: InterfaceID) -> Bool {
        let before = interfaces[id.index].privateKey
        switch key {
        case .remove:
            interfaces[id.index].privateKey = nil
            return before != nil
        case .set(let key):
            if let before, before.value.equals(key.value) { return false }
            interfaces[id.index].privateKey = key
            return true
        }
    }

    // MARK: Peers

    private mutating func take(_ change: PeerChange, on id: InterfaceID, _ draft: inout EditDraft) {
        let known = interfaces[id.index].peers[change.publicKey]
        if change.isRemoval {
            if let known { removePeer(known, &draft) }
            return
        }
        guard known != nil || !change.isUpdateOnly else { return }
        let number = known ?? addPeer(change.publicKey, on: id, &draft)
        guard var peer = self[number] else { return }
        var adjustment = draft.adjustments[number] ?? Edit.Adjustment(id: number, worker: peer.worker)
        if let key = change.presharedKey, !Self.areSame(key, peer.presharedKey) {
            peer.presharedKey = key.value.isAbsent ? nil : key
            adjustment.presharedKey = key
        }
        if let endpoint = change.endpoint {
            if peer.isSoughtByName { adjustment.isSoughtByName = false }
            adjustment.endpoint = endpoint
            peer.toldEndpoint = HostPort(endpoint)
        }
        if let seconds = change.persistentKeepalive, seconds != peer.persistentKeepalive {
            peer.persistentKeepalive = seconds
            adjustment.persistentKeepalive = seconds
        }
        if let said = draft.file[change.publicKey] { adopt(said, &peer, &adjustment, &draft) }
        peers[number.index] = peer
        draft.adjustments[number] = adjustment
        setAllowedIPs(change, of: number, on: id, &draft)
    }

    private static func areSame(_ a: Shared<PresharedKey>, _ b: Shared<PresharedKey>?) -> Bool {
        b.map { a.value.equals($0.value) } ?? a.value.isAbsent
    }

    private mutating func setAllowedIPs(
        _ change: PeerChange, of number: PeerID, on id: InterfaceID, _ draft: inout EditDraft
    ) {
        let routes = interfaces[id.index].routes
        if change.replacesAllowedIPs {
            for prefix in routes.prefixes.prefixes(of: number) { draft.touch(prefix, of: number) }
            routes.prefixes.removeAll(of: number)
        }
        for allowed in change.allowedIPs {
            draft.touch(allowed.prefix, of: routes.prefixes.owner(of: allowed.prefix))
            if allowed.isRemoval {
                routes.prefixes.remove(allowed.prefix, peer: number)
            } else {
                routes.prefixes.insert(allowed.prefix, peer: number)
            }
        }
    }

    /// A new peer; one that has gone with the same change gets its number and its worker back, so that the two never
    /// meet. One of the file is called as there, whenever it went: a rule that names it means whoever has its key.
    private mutating func addPeer(_ key: PublicKey, on id: InterfaceID, _ draft: inout EditDraft) -> PeerID {
        let earlier = draft.gone.removeValue(forKey: key)
        let said = interfaces[id.index].setAside.removeValue(forKey: key)
        let group = groupOf[PeerIdentity(interface: id, publicKey: key)]
        let worker = group.flatMap { groups[$0.index]?.worker } ?? leastLoadedWorker
        let number = earlier?.id ?? numbers.take()
        insert(
            RegisteredPeer(
                id: number, interface: id, publicKey: key, name: said?.name.value ?? RegisteredPeer.shortName(key),
                worker: earlier?.worker ?? worker, serial: serials, group: group,
                configuration: said))
        interfaces[id.index].peers[key] = number
        draft.additions[number] = earlier != nil
        draft.order.append(number)
        return number
    }

    private mutating func removePeer(_ number: PeerID, _ draft: inout EditDraft) {
        guard let peer = self[number] else { return }
        let routes = interfaces[peer.interface.index].routes
        for prefix in routes.prefixes.prefixes(of: number) { draft.touch(prefix, of: number) }
        routes.prefixes.removeAll(of: number)
        interfaces[peer.interface.index].peers[peer.publicKey] = nil
        interfaces[peer.interface.index].setAside[peer.publicKey] = peer.configuration
        remove(peer)
        draft.adjustments[number] = nil
        if draft.additions.removeValue(forKey: number) == false {
            // It came and went with this change: no worker hears of it.
            numbers.giveBack([number])
        } else {
            draft.gone[peer.publicKey] = peer
        }
    }

    // MARK: The outcome

    private func finish(_ draft: EditDraft, on id: InterfaceID, identityChanges: Bool) -> Edit {
        var edit = Edit(id)
        edit.identityChanges = identityChanges
        edit.removals = Array(draft.gone.values)
        edit.searches = draft.searches
        let routes = interfaces[id.index].routes
        for (prefix, before) in draft.ownersBefore {
            let now = routes.prefixes.owner(of: prefix)
            if now != before { edit.prefixes.append((prefix, now)) }
        }
        var additions = draft.additions
        for number in draft.order {
            guard let isReplacement = additions.removeValue(forKey: number), let peer = self[number] else { continue }
            edit.additions.append(
                Edit.Addition(
                    peer: peer, endpoint: draft.adjustments[number]?.endpoint, isReplacement: isReplacement))
        }
        edit.adjustments = draft.adjustments.values.filter { !$0.isEmpty && draft.additions[$0.id] == nil }
        return edit
    }
}

/// What a change has come to so far.
struct EditDraft {
    /// Peers that were there before and are gone, by key.
    var gone: [PublicKey: RegisteredPeer] = [:]
    /// Peers that are new: whether they have the number of one that is gone.
    var additions: [PeerID: Bool] = [:]
    /// In which they came.
    var order: [PeerID] = []
    var adjustments: [PeerID: Edit.Adjustment] = [:]
    /// What the file says of its peers, where the change is one of a file.
    var file: [PublicKey: Configuration.PeerConfiguration] = [:]
    var searches: [(peer: PeerID, name: HostPort)] = []
    /// Who had the prefixes that were touched, before.
    private(set) var ownersBefore: [Prefix: PeerID] = [:]

    mutating func touch(_ prefix: Prefix, of owner: PeerID) {
        if ownersBefore[prefix] == nil { ownersBefore[prefix] = owner }
    }
}
