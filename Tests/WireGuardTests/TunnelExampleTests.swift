import Foundation
import Testing
import WireGuard

/// The examples in the documentation compile and do what they say.
@Suite struct TunnelExampleTests {
    @Test func `the example of Tunnel's documentation runs`() throws {
        var arrived: [UInt8] = []
        try example { arrived = $0 }
        #expect(arrived.count == 20)
        #expect(arrived.first == 0x45)
    }

    private func example(_ done: ([UInt8]) -> Void) throws {
        // example of Tunnel.swift {
        let aliceKey = Tunnel.PrivateKey.generate()
        let bobKey = Tunnel.PrivateKey.generate()
        let (alicePublic, bobPublic) = (aliceKey.publicKey, bobKey.publicKey)
        guard let aliceAddress = Tunnel.Endpoint("192.0.2.1:51820"),
            let bobAddress = Tunnel.Endpoint("192.0.2.2:51820")
        else { return }

        // The time is the caller's: a clock that never goes back, and what date it is when it starts.
        var now = Tunnel.Instant(nanoseconds: 0)
        let date = Tunnel.WallTime(seconds: 1_700_000_000)
        let alice = Tunnel(privateKey: aliceKey, wallTime: date, at: now)
        let bob = Tunnel(privateKey: bobKey, wallTime: date, at: now)
        let toBob = try alice.addPeer(publicKey: bobPublic, endpoint: bobAddress, at: now)
        _ = try bob.addPeer(publicKey: alicePublic, at: now)

        // An IPv4 header and nothing behind it. There is no session yet: it waits for one.
        let packet: [UInt8] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0x65, 0xeb, 10, 0, 0, 1, 10, 0, 0, 2]
        try alice.send(packet, to: toBob, at: now)

        // A program with sockets sends the datagrams, and waits for the next one or the earlier deadline.
        let ends = [(alice, aliceAddress), (bob, bobAddress)]
        var received: [(packet: [UInt8], peer: Tunnel.PeerHandle)] = []
        while received.isEmpty {
            for (tunnel, address) in ends {
                tunnel.advance(to: now)
                while let output = tunnel.nextOutput() {
                    switch output {
                    case .send(let datagram, to: let destination):
                        for (other, place) in ends where place == destination {
                            other.receive(datagram, from: address, at: now)
                        }
                    case .deliver(let packet, from: let peer): received.append((packet, peer))
                    case .event(let event, of: _): print(event)
                    }
                }
            }
            now = now.advanced(by: .milliseconds(10))
        }
        // }
        done(received[0].packet)
    }

    /// A program's turn with its socket and its packets, as the README shows it.
    private func turn(
        _ keyFile: [UInt8], _ peerKey: Tunnel.PublicKey, _ peerAddress: Tunnel.Endpoint, _ packet: [UInt8],
        _ datagram: [UInt8],
        _ source: Tunnel.Endpoint, _ date: Tunnel.WallTime, _ now: Tunnel.Instant,
        socketSend: ([UInt8], Tunnel.Endpoint) -> Void, accept: ([UInt8], Tunnel.PeerHandle) -> Void
    ) throws -> Tunnel.Instant? {
        // example of README.md {
        guard let key = Tunnel.PrivateKey(base64Bytes: keyFile.span) else { return nil }
        let tunnel = Tunnel(privateKey: key, wallTime: date, at: now)
        let peer = try tunnel.addPeer(publicKey: peerKey, endpoint: peerAddress, at: now)

        // An IP packet for the peer; whatever the UDP socket gave; when tunnel.nextDeadline has come.
        try tunnel.send(packet, to: peer, at: now)
        tunnel.receive(datagram, from: source, at: now)
        tunnel.advance(to: now)
        while let output = tunnel.nextOutput() {
            switch output {
            case .send(let datagram, to: let endpoint): socketSend(datagram, endpoint)
            case .deliver(let packet, from: let peer): accept(packet, peer)
            case .event(let event, of: _): print(event)
            }
        }
        // }
        return tunnel.nextDeadline
    }

    @Test func `the README's example sends a handshake`() throws {
        var sent: [[UInt8]] = []
        let deadline = try turn(
            Array("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=".utf8), Tunnel.PrivateKey.generate().publicKey,
            TunnelPair.endpoint(1), TunnelPair.packet(1), [1, 2, 3], TunnelPair.endpoint(9), TunnelPair.date,
            TunnelPair.start,
            socketSend: { bytes, _ in sent.append(bytes) }, accept: { _, _ in })
        #expect(sent.map(\.count) == [148])
        #expect(deadline != nil)
    }

    @Test(arguments: ["Sources/WireGuard/Library/Tunnel.swift", "README.md"])
    func `the documentation shows what is compiled here`(path: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let shown = try lines(root.appending(path: path))
            .map { $0.hasPrefix("///") ? String($0.dropFirst(3)).trimmingCharacters(in: .whitespaces) : $0 }
        let name = try #require(path.split(separator: "/").last)
        let compiled = try lines(URL(filePath: #filePath))
        let begin = try #require(compiled.firstIndex(of: "// example of \(name) {"))
        let end = try #require(compiled[begin...].firstIndex(of: "// }"))
        let example = Array(compiled[(begin + 1)..<end])
        #expect(example.count > 10)
        #expect(shown.ranges(of: example).count == 1)
    }

    /// Without indentation.
    private func lines(_ file: URL) throws -> [String] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
