import Crypto
import Pipeline
import Wire
import WireGuard

/// What stages have said that they have to know again after a restart (`RememberingStage`).
package struct StageMemories: Equatable, Sendable {
    struct PeerEntry: Hashable {
        let stage: String
        let interface: String
        let publicKey: PublicKey
    }

    struct GroupEntry: Hashable {
        let stage: String
        let name: String
    }

    var peers: [PeerEntry: String] = [:]
    var groups: [GroupEntry: String] = [:]

    package init() {}

    // MARK: Text

    /// A line each: `rate-limit peer wg0 KEY month 682 1000`, `rate-limit group guests month 682 1000`.
    var text: String {
        let lines =
            peers.map { "\($0.stage) peer \($0.interface) \($0.publicKey.base64) \($1)" }
            + groups.map { "\($0.stage) group \($0.name) \($1)" }
        return lines.sorted().map { $0 + "\n" }.joined()
    }

    /// `malformed` is how many lines make no sense.
    init(_ bytes: [UInt8], malformed: inout Int) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            if !take(String(decoding: line, as: UTF8.self)) { malformed += 1 }
        }
    }

    private mutating func take(_ line: String) -> Bool {
        let fields = line.split(separator: " ", maxSplits: 2).map(String.init)
        guard fields.count == 3 else { return false }
        switch fields[1] {
        case "peer":
            let rest = fields[2].split(separator: " ", maxSplits: 2).map(String.init)
            guard rest.count == 3, let key = PublicKey(base64: rest[1]) else { return false }
            peers[PeerEntry(stage: fields[0], interface: rest[0], publicKey: key)] = rest[2]
        case "group":
            let rest = fields[2].split(separator: " ", maxSplits: 1).map(String.init)
            guard rest.count == 2 else { return false }
            groups[GroupEntry(stage: fields[0], name: rest[0])] = rest[1]
        default: return false
        }
        return true
    }
}

/// Where they are kept: `memories` in the router's state directory.
struct MemoryFile: KeptFile {
    /// A kill, or a loss of power, forgets what was to be known of so long at most; an ordinary end forgets nothing. More often
    /// would wear out the flash of small machines.
    static let interval = Interval.seconds(60)
    static let content = "what stages have to know again after a restart"
    static let nothing = StageMemories()

    let file: StateFile

    init(stateDirectory: String, router: String) {
        file = StateFile(stateDirectory: stateDirectory, router: router, name: "memories")
    }

    func text(of memories: StageMemories) -> String { memories.text }

    func parse(_ bytes: [UInt8]) -> (StageMemories, malformed: Int) {
        var malformed = 0
        let memories = StageMemories(bytes, malformed: &malformed)
        return (memories, malformed)
    }
}
