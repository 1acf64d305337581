/// Receiver index → what it was given to. Typed, so that a response can only meet a handshake and data only a session
/// (P-2.19).
struct IndexTable {
    private enum Entry {
        /// The slot of the peer whose initiation is out.
        case handshake(slot: Int)
        case keypair(Keypair)
    }

    private var entries: [UInt32: Entry] = [:]

    var count: Int { entries.count }

    /// A random index of this worker's that nothing has.
    func draw(_ environment: Engine.Environment) -> UInt32 {
        environment.indices.draw(worker: environment.worker, entropy: environment.entropy) { entries[$0] == nil }
    }

    func isFree(_ index: UInt32) -> Bool { entries[index] == nil }

    mutating func insert(handshakeOf slot: Int, _ index: UInt32) { entries[index] = .handshake(slot: slot) }

    /// Puts the session in the place of the handshake that it came from, if it had one.
    mutating func insert(_ keypair: Keypair) { entries[keypair.localIndex] = .keypair(keypair) }

    mutating func remove(_ index: UInt32) { entries[index] = nil }

    func handshake(_ index: UInt32) -> Int? {
        if case .handshake(let slot) = entries[index] { slot } else { nil }
    }

    func keypair(_ index: UInt32) -> Keypair? {
        if case .keypair(let keypair) = entries[index] { keypair } else { nil }
    }
}
