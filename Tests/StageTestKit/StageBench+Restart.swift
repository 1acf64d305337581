import Pipeline
import Wire

extension StageBench {
    /// Expects that the instance of a next run, which is told of the same peers and groups and of what this one has to know
    /// again of them, knows it. How many it has to know; 0 for a stage that is none to remember anything.
    @discardableResult
    package func expectMemoriesOverRestart() -> Int {
        guard let earlier = stage as? any RememberingStage else { return 0 }
        guard let next = another() as? any RememberingStage else { return 0 }
        var known = 0
        for group in groups.sorted(by: { $0.index < $1.index }) {
            next.set(group, options: groupRecords[group] ?? nil)
            guard let memory = earlier.memory(of: group) else { continue }
            next.remember(memory, of: group)
            compare(memory, next.memory(of: group), "group \(group.index)", &known)
        }
        for peer in peers.sorted(by: { $0.index < $1.index }) {
            if let group = groupOf[peer] { next.set(peer, group: group) }
            next.set(peer, options: peerRecords[peer] ?? nil)
            guard let memory = earlier.memory(of: peer) else { continue }
            next.remember(memory, of: peer)
            compare(memory, next.memory(of: peer), "peer \(peer.index)", &known)
        }
        return known
    }

    private func compare(_ said: String, _ known: String?, _ whom: String, _ count: inout Int) {
        count += 1
        let name = schema.name
        if !said.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) || said.isEmpty {
            complain("\(name) has to know of \(whom) what is no line of printable ASCII", sourceLocation)
        }
        if known != said {
            complain("\(name) had to know '\(said)' of \(whom) and knows \(known ?? "nothing")", sourceLocation)
        }
    }
}
