import Wire

@testable import WireGuard

/// Eve's own end of the wire: what she gives to Bob as if it came from Alice, and what he answers.
struct Tap {
    let pair: Pair

    init(_ pair: Pair) { self.pair = pair }

    func give(_ bytes: [UInt8]) -> [[UInt8]] {
        pair.bob.receive(Self.toBob(bytes), pair.link.now)
        return pair.bob.takeOutput().map(\.bytes)
    }

    static func toBob(_ bytes: [UInt8], from source: Endpoint = Pair.aliceEndpoint) -> Datagram {
        Datagram(bytes: bytes, source: source, destination: Pair.bobEndpoint)
    }

    static func toAlice(_ bytes: [UInt8], from source: Endpoint = Pair.bobEndpoint) -> Datagram {
        Datagram(bytes: bytes, source: source, destination: Pair.aliceEndpoint)
    }
}
