import Crypto
import WireGuard

/// Messages made up by the input for Bob, who has a session with Alice or only waits for one. Their fixed parts are put
/// right where the input asks for it, so that what lies behind the first checks is reached.
func fuzzMessages(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let pair = TwoTunnels()
    let indices = prepare(pair, connected: input.byte() & 1 == 1)
    for _ in 0..<16 where !input.isEmpty {
        let kind = input.byte()
        let count = Int(input.word() & 0x7ff)
        let message = message(kind, input.bytes(count), indices, for: pair[.bob])
        let isGenuine = kind & 0x40 != 0 && [1, 2].contains(kind & 7)
        pair.now = pair.now.advanced(by: .milliseconds(Int(kind >> 7) * 25))
        let drop = pair[.bob].receive(message, from: TwoTunnels.endpoint(.alice), at: pair.now)
        let (sent, delivered) = pair.take(.bob)
        demand(drop != nil, "a made-up message was taken: \(message)")
        demand(delivered.isEmpty, "a made-up message was delivered")
        if kind >> 7 == 0 { demand(sent.isEmpty || isGenuine, "Bob answers what proves nothing (P-3.14)") }
    }
}

/// Bob's receiver indices: that of his handshake, where one is under way, and that of his session.
private func prepare(_ pair: TwoTunnels, connected: Bool) -> [[UInt8]] {
    pair.send(TwoTunnels.packet(1), from: .bob)
    let initiations = pair.take(.bob).sent
    var indices = initiations.map { Array($0[4..<8]) }
    guard connected else { return indices }
    for initiation in initiations {
        _ = pair[.alice].receive(initiation, from: TwoTunnels.endpoint(.bob), at: pair.now)
    }
    for response in pair.take(.alice).sent {
        demand(pair[.bob].receive(response, from: TwoTunnels.endpoint(.alice), at: pair.now) == nil, "no session")
    }
    for data in pair.take(.bob).sent { _ = pair[.alice].receive(data, from: TwoTunnels.endpoint(.bob), at: pair.now) }
    pair.send(TwoTunnels.packet(2), from: .alice)
    indices += pair.take(.alice).sent.map { Array($0[4..<8]) }
    return indices
}

private func message(_ kind: UInt8, _ bytes: [UInt8], _ indices: [[UInt8]], for tunnel: Tunnel) -> [UInt8] {
    let sizes = [1: 148, 2: 92, 3: 64, 4: max(32, bytes.count)]
    let type = Int(kind & 7)
    guard let size = sizes[type] else { return bytes }
    var message = Array((bytes + [UInt8](repeating: 0, count: size)).prefix(size))
    message.replaceSubrange(0..<4, with: [UInt8(type), 0, 0, 0])
    let receiver = type == 2 ? 8 : 4
    if kind & 0x08 != 0, type > 1 {
        message.replaceSubrange(receiver..<receiver + 4, with: indices[Int(kind >> 4 & 1) % indices.count])
    }
    if kind & 0x40 != 0, type < 3 {
        message.replaceSubrange(size - 32..<size - 16, with: mac1(Array(message.prefix(size - 32)), tunnel.publicKey))
    }
    return message
}

/// mac1 as the paper has it (§5.4.4), for messages to `responder`.
func mac1(_ bytes: [UInt8], _ responder: Tunnel.PublicKey) -> [UInt8] {
    let key = fill(32) { output in
        unsafe (Array("mac1----".utf8) + responder.bytes).withUnsafeBytes { unsafe BLAKE2s.hash($0, into: output) }
    }
    return fill(16) { output in
        unsafe key.withUnsafeBytes { key in
            unsafe bytes.withUnsafeBytes { unsafe BLAKE2s.mac(key: key, $0, into: output) }
        }
    }
}

@safe private func fill(_ count: Int, _ body: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        guard let start = buffer.baseAddress else { return }
        unsafe body(UnsafeMutableRawPointer(start))
        filled = count
    }
}
