import Configuration
import Crypto
import Pipeline

/// What of a file is settled when a router starts, and what would have to change of it.
enum RestartReasons {
    /// One sentence each, with the line of `next` where there is one; empty when a running router can become what `next`
    /// says.
    static func between(_ current: RouterConfiguration, and next: LoadedConfiguration) -> [String] {
        let (file, next) = (next.source.file, next.configuration)
        var reasons: [String] = []
        if next.name != current.name {
            reasons.append("\(file): the name changes from \(current.name) to \(next.name)")
        }
        if next.runtime != current.runtime { reasons.append("\(file): 'runtime' changes") }
        return reasons + groupReasons(current, next, file)
    }

    /// The peers of a group are one worker's, and a peer cannot change its worker.
    private static func groupReasons(
        _ current: RouterConfiguration, _ next: RouterConfiguration, _ file: String
    ) -> [String] {
        var reasons: [String] = []
        for group in next.groups {
            guard let before = current.groups.first(where: { $0.name.value == group.name.value }) else {
                reasons.append("\(file):\(group.name.position): \(group.name.value) is a new group")
                continue
            }
            if members(of: before, in: current) != members(of: group, in: next) {
                reasons.append("\(file):\(group.name.position): the peers of group \(group.name.value) change")
            }
        }
        let kept = Set(next.groups.map(\.name.value))
        for group in current.groups where !kept.contains(group.name.value) {
            reasons.append("\(file): group \(group.name.value) is not in the file any more")
        }
        return reasons
    }

    private struct Member: Hashable {
        let interface: String
        let publicKey: PublicKey
    }

    private static func members(of group: GroupConfiguration, in file: RouterConfiguration) -> Set<Member> {
        let names = Set(group.peers)
        var members: Set<Member> = []
        for interface in file.interfaces {
            for peer in interface.peers
            where names.contains(PeerReference(interface: interface.name.value, name: peer.name.value)) {
                members.insert(Member(interface: interface.name.value, publicKey: peer.publicKey.value))
            }
        }
        return members
    }
}
