import Crypto
import Testing
import Wire

@testable import WireGuard

/// The three slots and every way between them (P-2.12 to P-2.17).
@Suite struct KeypairsTests {
    enum Event {
        /// We began, and the response came.
        case initiated(UInt32)
        /// The other side began, and we responded.
        case responded(UInt32)
        /// Authentic data on the session.
        case data(UInt32)
    }

    struct Row: Sendable {
        var events: [Event]
        var current, previous, next: UInt32?
        var retired: [UInt32] = []
    }

    static let table: [Row] = [
        Row(events: [.initiated(1)], current: 1),
        Row(events: [.initiated(1), .data(1)], current: 1),
        Row(events: [.initiated(1), .initiated(2)], current: 2, previous: 1),
        Row(events: [.initiated(1), .initiated(2), .data(1)], current: 2, previous: 1),
        Row(events: [.initiated(1), .initiated(2), .initiated(3)], current: 3, previous: 2, retired: [1]),
        Row(events: [.responded(1)], next: 1),
        Row(events: [.responded(1), .responded(2)], next: 2, retired: [1]),
        Row(events: [.responded(1), .data(1)], current: 1),
        Row(events: [.responded(1), .data(1), .responded(2)], current: 1, next: 2),
        Row(events: [.responded(1), .data(1), .responded(2), .data(1)], current: 1, next: 2),
        Row(events: [.responded(1), .data(1), .responded(2), .data(2)], current: 2, previous: 1),
        Row(
            events: [.responded(1), .data(1), .responded(2), .data(2), .responded(3)], current: 2, next: 3,
            retired: [1]),
        Row(events: [.initiated(1), .responded(2)], current: 1, next: 2),
        Row(events: [.initiated(1), .responded(2), .data(2)], current: 2, previous: 1),
        // Initiations crossed: what we responded to may be in use on the other side.
        Row(events: [.initiated(1), .responded(2), .initiated(3)], current: 3, previous: 2, retired: [1]),
        Row(events: [.initiated(1), .initiated(2), .responded(3)], current: 2, next: 3, retired: [1]),
        Row(events: [.initiated(1), .initiated(2), .responded(3), .data(3)], current: 3, previous: 2, retired: [1]),
        Row(
            events: [.initiated(1), .initiated(2), .responded(3), .initiated(4)], current: 4, previous: 3,
            retired: [1, 2]),
        Row(events: [.responded(1), .initiated(2)], current: 2, previous: 1),
    ]

    @Test func `P-2.14, P-2.15, P-2.16 every sequence of events ends with the right sessions in the right slots`() {
        for row in Self.table {
            var keypairs = Keypairs()
            var all: [UInt32: Keypair] = [:]
            var retired: [UInt32] = []
            for event in row.events {
                switch event {
                case .initiated(let index):
                    let keypair = Self.keypair(index, isInitiator: true)
                    all[index] = keypair
                    retired += keypairs.install(initiated: keypair).map(\.localIndex)
                case .responded(let index):
                    let keypair = Self.keypair(index, isInitiator: false)
                    all[index] = keypair
                    retired += keypairs.install(responded: keypair).map(\.localIndex)
                case .data(let index):
                    if let keypair = all[index] { retired += keypairs.confirm(keypair)?.map(\.localIndex) ?? [] }
                }
            }
            #expect(keypairs.current?.localIndex == row.current, "\(row)")
            #expect(keypairs.previous?.localIndex == row.previous, "\(row)")
            #expect(keypairs.next?.localIndex == row.next, "\(row)")
            #expect(retired.sorted() == row.retired, "\(row)")
        }
    }

    static func keypair(_ index: UInt32, isInitiator: Bool) -> Keypair {
        let keys = SessionKeys(initiatorToResponder: Secret(), responderToInitiator: Secret())
        return Keypair(
            keys, isInitiator: isInitiator, localIndex: index, remoteIndex: index, peer: PeerID(0), aead: .libsodium,
            now: Instant(nanoseconds: 0))
    }
}
