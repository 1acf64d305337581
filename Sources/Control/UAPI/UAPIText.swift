import Crypto
import Linux
import Wire

/// Writes the UAPI's answers, piece by piece through a room that is wiped after each.
@safe struct UAPIText: ~Copyable {
    /// Sends bytes on; false when nobody takes them any more.
    typealias Sink = (UnsafeRawBufferPointer) -> Bool

    private static let room = 64 << 10

    private var pending = WipedBytes(capacity: room)
    private var goesOn = true
    private let sink: Sink

    init(to sink: @escaping Sink) { unsafe self.sink = sink }

    /// The answer to `get=1`, as `wg` reads it: the preshared key always, the handshake's time since 1970 (P-8.8,
    /// P-8.13).
    mutating func write(_ state: DeviceState) {
        if let key = state.privateKey { key.value.withText(.hex) { unsafe line("private_key", $0) } }
        if state.listenPort != 0 { line("listen_port", "\(state.listenPort)") }
        if state.fwmark != 0 { line("fwmark", "\(state.fwmark)") }
        let none = PresharedKey()
        for peer in state.peers where goesOn {
            line("public_key", peer.publicKey.hex)
            if let key = peer.presharedKey {
                key.value.withText(.hex) { unsafe line("preshared_key", $0) }
            } else {
                none.withText(.hex) { unsafe line("preshared_key", $0) }
            }
            line("protocol_version", "1")
            if let endpoint = peer.endpoint { line("endpoint", "\(endpoint)") }
            line("last_handshake_time_sec", "\(peer.lastHandshake?.seconds ?? 0)")
            line("last_handshake_time_nsec", "\(peer.lastHandshake?.nanoseconds ?? 0)")
            line("tx_bytes", "\(peer.sent)")
            line("rx_bytes", "\(peer.received)")
            line("persistent_keepalive_interval", "\(peer.persistentKeepalive)")
            for prefix in peer.allowedIPs where goesOn { line("allowed_ip", "\(prefix)") }
        }
    }

    /// The end of every answer: 0, or the error as a negative number (P-8.14).
    mutating func end(_ error: Errno?) {
        line("errno", "\(-(error?.rawValue ?? 0))")
        append("\n")
        flush()
    }

    private mutating func line(_ key: String, _ value: String) { append("\(key)=\(value)\n") }

    private mutating func line(_ key: String, _ value: UnsafeRawBufferPointer) {
        append("\(key)=")
        unsafe append(value)
        append("\n")
    }

    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { unsafe append(UnsafeRawBufferPointer($0)) }
    }

    /// No piece is longer than the room.
    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if unsafe pending.append(bytes) { return }
        flush()
        _ = unsafe pending.append(bytes)
    }

    private mutating func flush() {
        if goesOn, pending.count > 0 { goesOn = pending.withBytes { unsafe sink($0) } }
        pending.wipe()
    }
}
