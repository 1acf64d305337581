// swift-format-ignore-file: AlwaysUseLowerCamelCase
import CWireGuard
import WireGuard

// Results and reasons as text, in memory that is always there.

@c public func fbwg_result_text(_ result: fbwg_result) -> UnsafePointer<CChar> {
    let text: StaticString =
        switch result {
        case FBWG_OK: "done"
        case FBWG_STAGED: "the packet waits for a session"
        case FBWG_DROPPED: "the datagram was not taken"
        case FBWG_ERROR_ARGUMENT: "an argument cannot be"
        case FBWG_ERROR_UNKNOWN_PEER: "the tunnel has no such peer"
        case FBWG_ERROR_DUPLICATE_PEER: "a peer with this public key is there already"
        case FBWG_ERROR_OWN_KEY: "the public key is the tunnel's own"
        case FBWG_ERROR_TOO_MANY_PEERS: "the tunnel takes no more peers"
        case FBWG_ERROR_NO_ENDPOINT: "the peer has no endpoint yet"
        case FBWG_ERROR_MALFORMED_PACKET: "not a whole IPv4 or IPv6 packet"
        case FBWG_ERROR_PACKET_TOO_LARGE: "the packet is too long"
        case FBWG_ERROR_OUTPUTS_NOT_TAKEN: "too many outputs of the tunnel wait to be taken"
        case FBWG_ERROR_BUFFER_TOO_SMALL: "the buffer is too small for the output"
        default: "no such result"
        }
    return unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c public func fbwg_get_drops(
    _ tunnel: OpaquePointer?, _ number: UInt32, _ name: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
    _ count: UnsafeMutablePointer<UInt64>?
) -> fbwg_result {
    let reasons = Tunnel.Drop.allCases
    guard let tunnel = unsafe tunnel, let name = unsafe name, let count = unsafe count, number < reasons.count else {
        return FBWG_ERROR_ARGUMENT
    }
    unsafe name.pointee = DropNames.all[Int(number)].pointer
    unsafe count.pointee = Box.of(tunnel).tunnel.statistics.drops[reasons[Int(number)]] ?? 0
    return FBWG_OK
}

/// The reasons' names, each with a zero behind it, made once and kept.
private enum DropNames {
    @safe struct Name: @unchecked Sendable {  // Sendable: nobody writes to it
        let pointer: UnsafePointer<CChar>
    }

    static let all = Tunnel.Drop.allCases.map { reason in
        let text = Array(reason.rawValue.utf8CString)
        let memory = UnsafeMutablePointer<CChar>.allocate(capacity: text.count)
        unsafe memory.initialize(from: text, count: text.count)
        return unsafe Name(pointer: UnsafePointer(memory))
    }
}
