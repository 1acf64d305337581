/// A peer's sessions: the one in use, the one before it, and one that waits to be confirmed (§6.3, P-2.12…P-2.17).
struct Keypairs {
    /// What is sent with.
    private(set) var current: Keypair?
    /// Still good to receive with, for what was under way when it was replaced.
    private(set) var previous: Keypair?
    /// A responder's newest, not to be sent with before the initiator has proved that it has it too.
    private(set) var next: Keypair?

    /// What an event pushed out; its index is free.
    typealias Retired = [Keypair]

    /// The response came: the session is confirmed and used at once (P-2.14).
    mutating func install(initiated keypair: Keypair) -> Retired {
        var retired = [previous]
        if next != nil {
            previous = next
            next = nil
            retired.append(current)
        } else {
            previous = current
        }
        current = keypair
        return retired.compactMap(\.self)
    }

    /// The response is on its way: the session waits (P-2.15).
    mutating func install(responded keypair: Keypair) -> Retired {
        let retired = [next, previous].compactMap(\.self)
        next = keypair
        previous = nil
        return retired
    }

    /// The first authentic data on `next` confirms it (P-2.16); nil for data on any other.
    mutating func confirm(_ keypair: Keypair) -> Retired? {
        guard next === keypair else { return nil }
        let retired = [previous].compactMap(\.self)
        previous = current
        current = next
        next = nil
        return retired
    }

    /// Whether messages with this receiver index are ours, of any of the sessions.
    func hasRemoteIndex(_ index: UInt32) -> Bool {
        current?.remoteIndex == index || previous?.remoteIndex == index || next?.remoteIndex == index
    }

    mutating func removeAll() -> Retired {
        let retired = [current, previous, next].compactMap(\.self)
        self = Keypairs()
        return retired
    }
}
