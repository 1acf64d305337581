import AllowedIPs
import Configuration
import Control
import Crypto
import Pipeline
import Wire

// A file's interface against what there is: the difference is a change like a client's, and carried out like one, so that
// what is equal is not touched.
extension PeerRegistry.Contents {
    mutating func carryOut(_ file: InterfaceFile, on id: InterfaceID) -> Edit {
        let configuration = file.configuration
        interfaces[id.index].addresses = configuration.addresses.map(\.value.description)
        interfaces[id.index].isMarkFixed = configuration.takesDefaultRoute
        var draft = EditDraft()
        let changed = takeNote(of: file, on: id)
        for peer in changed { draft.file[peer.publicKey.value] = peer }
        defer { interfaces[id.index].setAside = [:] }  // of the file before
        return make(difference(to: file, changed, on: id), on: id, draft)
    }

    /// The peers that are not all that the file says of them. Of the others there is nothing more to do, and of a large file
    /// they are by far the most.
    private mutating func takeNote(of file: InterfaceFile, on id: InterfaceID) -> [Configuration.PeerConfiguration] {
        file.configuration.peers.filter { said in
            let number = interfaces[id.index].peers[said.publicKey.value]
            guard let number, let peer = self[number], isAll(said, file.secrets, peer) else { return true }
            peers[number.index]?.configuration = said
            return false
        }
    }

    private func isAll(
        _ said: Configuration.PeerConfiguration, _ secrets: InterfaceSecrets, _ peer: RegisteredPeer
    ) -> Bool {
        let before = peer.configuration?.stageOptions ?? [:]
        return peer.name == said.name.value && peer.persistentKeepalive == said.keepaliveSeconds
            && said.endpoint.map { $0.value == peer.toldEndpoint } ?? true
            && Self.areSame(secrets.presharedKeys[peer.publicKey], peer.presharedKey)
            && interfaces[peer.interface.index].routes.prefixes.prefixes(of: peer.id) == said.allowedIPs.map(\.value)
            && peer.group == groupOf[PeerIdentity(interface: peer.interface, publicKey: peer.publicKey)]
            && before.count == said.stageOptions.count
            && said.stageOptions.allSatisfy { areEqual($0.value, before[$0.key]) }
    }

    private static func areSame(_ a: Shared<PresharedKey>?, _ b: Shared<PresharedKey>?) -> Bool {
        switch (a, b) {
        case (nil, nil): true
        case (let a?, let b?): a.value.equals(b.value)
        default: false
        }
    }

    private func difference(
        to file: InterfaceFile, _ changed: [Configuration.PeerConfiguration], on id: InterfaceID
    ) -> DeviceChange {
        var change = DeviceChange()
        change.privateKey = file.secrets.privateKey.map { .set($0) } ?? .remove
        let wanted = Set(file.configuration.peers.map(\.publicKey.value))
        for key in interfaces[id.index].peers.keys where !wanted.contains(key) {
            var removal = PeerChange(key)
            removal.isRemoval = true
            change.peers.append(removal)
        }
        for peer in changed { change.peers.append(difference(to: peer, file.secrets, on: id)) }
        return change
    }

    private func difference(
        to said: Configuration.PeerConfiguration, _ secrets: InterfaceSecrets, on id: InterfaceID
    ) -> PeerChange {
        let key = said.publicKey.value
        var change = PeerChange(key)
        change.presharedKey = secrets.presharedKeys[key] ?? Shared(PresharedKey())
        change.persistentKeepalive = said.keepaliveSeconds
        let known = interfaces[id.index].peers[key]
        // A peer that has roamed stays where it is, as long as it is said to be where it was said to be.
        if let endpoint = said.endpoint?.value, endpoint != known.flatMap({ self[$0]?.toldEndpoint }) {
            change.endpoint = endpoint.endpoint
        }
        let wanted = said.allowedIPs.map(\.value)
        let has = known.map { interfaces[id.index].routes.prefixes.prefixes(of: $0) } ?? []
        let (kept, owned) = (Set(wanted), Set(has))
        change.allowedIPs = has.filter { !kept.contains($0) }.map { PeerChange.AllowedIP($0, isRemoval: true) }
        change.allowedIPs += wanted.filter { !owned.contains($0) }.map { PeerChange.AllowedIP($0) }
        return change
    }

    /// What the file says of a peer beside what a client could say as well.
    mutating func adopt(
        _ said: Configuration.PeerConfiguration, _ peer: inout RegisteredPeer, _ adjustment: inout Edit.Adjustment,
        _ draft: inout EditDraft
    ) {
        rename(&peer, said.name.value)
        if let endpoint = said.endpoint?.value, endpoint.endpoint == nil, endpoint != peer.toldEndpoint {
            if !peer.isSoughtByName { adjustment.isSoughtByName = true }
            peer.toldEndpoint = endpoint
            draft.searches.append((peer.id, endpoint))
        }
        let group = groupOf[PeerIdentity(interface: peer.interface, publicKey: peer.publicKey)]
        if group != peer.group {
            peer.group = group
            adjustment.group = .some(group)
        }
        let before = peer.configuration?.stageOptions ?? [:]
        for stage in Set(before.keys).union(said.stageOptions.keys) {
            let (old, new) = (before[stage], said.stageOptions[stage])
            if !areEqual(old, new) { adjustment.stageOptions[stage] = .some(new) }
        }
        peer.configuration = said
    }

    private mutating func rename(_ peer: inout RegisteredPeer, _ name: String) {
        guard name != peer.name else { return }
        if let uses = nameUses[peer.name] { nameUses[peer.name] = uses > 1 ? uses - 1 : nil }
        nameUses[name, default: 0] += 1
        peer.name = name
    }
}
