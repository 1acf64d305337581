import Wire

/// A stage that has to know something again of a peer or of a group after a restart.
///
/// What that is, it says in a short text of its own: printable ASCII in one line. The router saves it by the peer's key and
/// by the group's name, now and then and when it ends, and says it to the next run's instance.
package protocol RememberingStage: Stage {
    /// nil where there is nothing to know.
    func memory(of peer: PeerID) -> String?
    func memory(of group: GroupID) -> String?
    /// What an earlier run has said. Comes after the peer's options, before its packets; a text that makes no sense is none.
    func remember(_ memory: String, of peer: PeerID)
    func remember(_ memory: String, of group: GroupID)
}
