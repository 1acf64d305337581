import Crypto
import Locking
import PacketPath
import Pipeline
import Wire

/// Asks workers what their stages have to know again after a restart.
struct MemoryQuestion: Sendable {
    /// The most peers that one turn tells of.
    private static let part = 1024

    let registry: PeerRegistry

    /// All of them, while they run; nil when one has not answered in time.
    func answers(_ mailboxes: [Mailbox]) -> StageMemories? {
        let collected = Guarded(StageMemories())
        let errands = mailboxes.indices.map { worker -> [Mailbox.Errand] in
            let members = registry.members(of: worker)
            let parts = stride(from: 0, to: members.peers.count, by: Self.part).map { start -> Mailbox.Errand in
                let part = members.peers[start..<min(start + Self.part, members.peers.count)]
                return { worker, _ in collected.withLock { $0.add(part, of: worker) } }
            }
            return parts + [{ worker, _ in collected.withLock { $0.add(members.groups, of: worker) } }]
        }
        return WorkerRound.run(errands, slice: 1, mailboxes) ? collected.withLock { $0 } : nil
    }

    /// One that has ended.
    func ask(_ worker: Worker, _ memories: inout StageMemories) {
        let members = registry.members(of: worker.id)
        memories.add(members.peers[...], of: worker)
        memories.add(members.groups, of: worker)
    }
}

extension PeerRegistry {
    /// A worker's peers and groups, by what they are over a restart.
    struct Members: Sendable {
        var peers: [(id: PeerID, interface: String, publicKey: PublicKey)] = []
        var groups: [(id: GroupID, name: String)] = []
    }

    func members(of worker: Int) -> Members {
        contents.withLock { contents in
            Members(
                peers: contents.peers.compactMap { peer in
                    guard let peer, peer.worker == worker else { return nil }
                    return (peer.id, contents.interfaces[peer.interface.index].name, peer.publicKey)
                },
                groups: contents.groups.compactMap { group in
                    group.flatMap { $0.worker == worker ? ($0.id, $0.name) : nil }
                })
        }
    }
}

extension StageMemories {
    fileprivate mutating func add(
        _ members: ArraySlice<(id: PeerID, interface: String, publicKey: PublicKey)>, of worker: Worker
    ) {
        for member in members {
            for memory in worker.memories(of: member.id) {
                let entry = PeerEntry(stage: memory.stage, interface: member.interface, publicKey: member.publicKey)
                peers[entry] = memory.text
            }
        }
    }

    fileprivate mutating func add(_ members: [(id: GroupID, name: String)], of worker: Worker) {
        for member in members {
            for memory in worker.memories(of: member.id) {
                groups[GroupEntry(stage: memory.stage, name: member.name)] = memory.text
            }
        }
    }
}
