// swift-format-ignore-file: AlwaysUseLowerCamelCase
import CWireGuard
import WireGuard

// What goes through a tunnel: the header says what each function does.

@c public func fbwg_send(
    _ tunnel: OpaquePointer?, _ peer: UInt64, _ packet: UnsafePointer<UInt8>?, _ length: Int, _ now: UInt64
) -> fbwg_result {
    guard let tunnel = unsafe tunnel, let packet = unsafe packet, length >= 0 else { return FBWG_ERROR_ARGUMENT }
    return attempt { () throws(TunnelError) in
        let sent = try unsafe Box.of(tunnel).tunnel.send(
            Span(_unsafeStart: packet, count: length), to: Tunnel.PeerHandle(rawValue: peer),
            at: Tunnel.Instant(nanoseconds: now))
        return sent == .sealed ? FBWG_OK : FBWG_STAGED
    }
}

@c public func fbwg_send_keepalive(_ tunnel: OpaquePointer?, _ peer: UInt64, _ now: UInt64) -> fbwg_result {
    guard let tunnel = unsafe tunnel else { return FBWG_ERROR_ARGUMENT }
    return attempt { () throws(TunnelError) in
        try unsafe Box.of(tunnel).tunnel.sendKeepalive(
            to: Tunnel.PeerHandle(rawValue: peer), at: Tunnel.Instant(nanoseconds: now))
        return FBWG_OK
    }
}

@c public func fbwg_receive(
    _ tunnel: OpaquePointer?, _ datagram: UnsafePointer<UInt8>?, _ length: Int, _ from: UnsafePointer<fbwg_endpoint>?,
    _ now: UInt64
) -> fbwg_result {
    guard let tunnel = unsafe tunnel, let from = unsafe from, let endpoint = Tunnel.Endpoint(unsafe from.pointee),
        length >= 0
    else { return FBWG_ERROR_ARGUMENT }
    let moment = Tunnel.Instant(nanoseconds: now)
    let ours = unsafe Box.of(tunnel).tunnel
    // An empty datagram may come without memory.
    guard let datagram = unsafe datagram else {
        guard length == 0 else { return FBWG_ERROR_ARGUMENT }
        return ours.receive([], from: endpoint, at: moment) == nil ? FBWG_OK : FBWG_DROPPED
    }
    let drop = unsafe ours.receive(Span(_unsafeStart: datagram, count: length), from: endpoint, at: moment)
    return drop == nil ? FBWG_OK : FBWG_DROPPED
}

@c public func fbwg_advance(_ tunnel: OpaquePointer?, _ now: UInt64) -> fbwg_result {
    // What fbwg_next_deadline says when there is nothing to wait for is no moment.
    guard let tunnel = unsafe tunnel, now != .max else { return FBWG_ERROR_ARGUMENT }
    unsafe Box.of(tunnel).tunnel.advance(to: Tunnel.Instant(nanoseconds: now))
    return FBWG_OK
}

@c public func fbwg_next_deadline(_ tunnel: OpaquePointer?) -> UInt64 {
    guard let tunnel = unsafe tunnel else { return .max }
    return unsafe Box.of(tunnel).tunnel.nextDeadline?.nanoseconds ?? .max
}

@c public func fbwg_next_output(
    _ tunnel: OpaquePointer?, _ output: UnsafeMutablePointer<fbwg_output>?, _ buffer: UnsafeMutablePointer<UInt8>?,
    _ capacity: Int
) -> fbwg_result {
    guard let tunnel = unsafe tunnel, let output = unsafe output, capacity >= 0 else { return FBWG_ERROR_ARGUMENT }
    let box = unsafe Box.of(tunnel)
    guard let next = box.waiting.take() ?? box.tunnel.nextOutput() else {
        unsafe output.pointee = fbwg_output()
        return FBWG_OK
    }
    let (head, bytes) = next.forC
    unsafe output.pointee = head
    let room = unsafe buffer == nil ? 0 : capacity
    guard bytes.count <= room else {
        box.waiting = next
        return FBWG_ERROR_BUFFER_TOO_SMALL
    }
    if let buffer = unsafe buffer { unsafe UnsafeMutableRawPointer(buffer).copyBytes(bytes) }
    return FBWG_OK
}

extension UnsafeMutableRawPointer {
    fileprivate func copyBytes(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { unsafe copyMemory(from: start, byteCount: bytes.count) }
        }
    }
}

extension Tunnel.Output {
    fileprivate var forC: (fbwg_output, [UInt8]) {
        var output = fbwg_output()
        switch self {
        case .send(let bytes, to: let endpoint):
            output.kind = FBWG_OUTPUT_SEND
            output.length = bytes.count
            output.endpoint = endpoint.forC
            return (output, bytes)
        case .deliver(let bytes, from: let peer):
            output.kind = FBWG_OUTPUT_DELIVER
            output.length = bytes.count
            output.peer = peer.rawValue
            return (output, bytes)
        case .event(let event, of: let peer):
            output.kind = FBWG_OUTPUT_EVENT
            output.peer = peer.rawValue
            switch event {
            case .handshakeCompleted(let initiator):
                output.event = initiator ? FBWG_EVENT_SESSION_INITIATED : FBWG_EVENT_SESSION_ACCEPTED
            case .handshakeGivenUp: output.event = FBWG_EVENT_HANDSHAKE_GIVEN_UP
            case .endpointChanged(let endpoint):
                output.event = FBWG_EVENT_ENDPOINT_CHANGED
                output.endpoint = endpoint.forC
            case .keysWiped: output.event = FBWG_EVENT_KEYS_WIPED
            case .clockFarAhead: output.event = FBWG_EVENT_CLOCK_FAR_AHEAD
            }
            return (output, [])
        }
    }
}
