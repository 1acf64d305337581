import Configuration
import HostStages
import Pipeline
import Wire

extension FileContext {
    /// The file's context with the peers, prefixes and ports that there are: clients may have changed them.
    init(_ configuration: RouterConfiguration, file: String, _ registry: PeerRegistry) {
        self = configuration.context(file: file)
        let views = registry.interfaces.map { registry.view($0) }
        peers = views.flatMap { view in
            view.peers.map { peer in
                Peer(name: PeerName(tunnel: view.name, name: peer.peer.name), prefixes: peer.prefixes)
            }
        }
        for (index, tunnel) in tunnels.enumerated() {
            guard let view = views.first(where: { $0.name == tunnel.name }) else { continue }
            tunnels[index].listenPort = view.listenPort
        }
    }

    /// Where a port is left to the kernel, the one that it has chosen.
    mutating func keepPorts(of running: FileContext) {
        for (index, tunnel) in tunnels.enumerated() where tunnel.listenPort == 0 {
            tunnels[index].listenPort = running.tunnels.first { $0.name == tunnel.name }?.listenPort ?? 0
        }
    }

    /// A tunnel is about to listen at another port.
    mutating func move(_ tunnel: String, to port: UInt16) {
        guard let index = tunnels.firstIndex(where: { $0.name == tunnel }) else { return }
        tunnels[index].listenPort = port
    }

    /// What is true before and after a change of peers and ports. A prefix that moves proves nobody until it has moved. With
    /// it the rules never take one peer for another, whatever each worker knows. What refuses a peer refuses what it has
    /// before or after (`versions`); peers that have gone have nothing else.
    ///
    /// A tunnel whose port changes hears at both: each worker goes to the new one at a moment of its own.
    func common(with other: FileContext) -> FileContext {
        var result = self
        result.versions = [self, other]
        for (index, tunnel) in tunnels.enumerated() {
            let before = other.tunnels.first { $0.name == tunnel.name }?.openPorts ?? []
            result.tunnels[index].formerPorts = before.subtracting([tunnel.listenPort])
        }
        let before = Dictionary(other.peers.map { ($0.name, $0.prefixes) }) { first, _ in first }
        for (index, peer) in peers.enumerated() where before[peer.name] != peer.prefixes {
            let also = Set(before[peer.name] ?? [])
            result.peers[index].prefixes = peer.prefixes.filter { also.contains($0) }
        }
        let present = Set(peers.map(\.name))
        result.peers += other.peers.filter { !present.contains($0.name) }.map { Peer(name: $0.name, prefixes: []) }
        // Moving prefixes may lie in others that stay: they are nobody's for now.
        var moving: [String: Set<Prefix>] = [:]
        for peer in peers + other.peers { moving[peer.name.tunnel, default: []].formUnion(peer.prefixes) }
        for peer in result.peers { moving[peer.name.tunnel]?.subtract(peer.prefixes) }
        for tunnel in tunnels.map(\.name) {
            guard let prefixes = moving[tunnel], !prefixes.isEmpty else { continue }
            result.peers.append(Peer(name: PeerName(tunnel: tunnel, name: ""), prefixes: Array(prefixes)))
        }
        return result
    }
}
