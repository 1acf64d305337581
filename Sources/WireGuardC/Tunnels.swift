// swift-format-ignore-file: AlwaysUseLowerCamelCase
import CWireGuard
import WireGuard

// A tunnel and its peers: the header says what each function does.

@c public func fbwg_create(
    _ privateKey: UnsafePointer<UInt8>?, _ mtu: UInt16, _ seconds: UInt64, _ nanoseconds: UInt32, _ now: UInt64
) -> OpaquePointer? {
    guard let bytes = unsafe privateKey,
        let key = Tunnel.PrivateKey(unsafe Span(_unsafeStart: bytes, count: Tunnel.PrivateKey.byteCount))
    else { return nil }
    let tunnel = Tunnel(
        privateKey: key, configuration: Tunnel.Configuration(mtu: mtu),
        wallTime: Tunnel.WallTime(seconds: seconds, nanoseconds: nanoseconds), at: Tunnel.Instant(nanoseconds: now))
    return unsafe Box.hand(Box(tunnel))
}

@c public func fbwg_destroy(_ tunnel: OpaquePointer?) {
    if let tunnel = unsafe tunnel { unsafe Box.end(tunnel) }
}

@c public func fbwg_set_date(
    _ tunnel: OpaquePointer?, _ seconds: UInt64, _ nanoseconds: UInt32, _ now: UInt64
) -> fbwg_result {
    guard let tunnel = unsafe tunnel else { return FBWG_ERROR_ARGUMENT }
    let date = Tunnel.WallTime(seconds: seconds, nanoseconds: nanoseconds)
    unsafe Box.of(tunnel).tunnel.setWallTime(date, at: Tunnel.Instant(nanoseconds: now))
    return FBWG_OK
}

@c public func fbwg_forget_sessions(_ tunnel: OpaquePointer?, _ now: UInt64) -> fbwg_result {
    guard let tunnel = unsafe tunnel else { return FBWG_ERROR_ARGUMENT }
    unsafe Box.of(tunnel).tunnel.forgetSessions(at: Tunnel.Instant(nanoseconds: now))
    return FBWG_OK
}

// MARK: Peers

@c public func fbwg_add_peer(
    _ tunnel: OpaquePointer?, _ publicKey: UnsafePointer<UInt8>?, _ presharedKey: UnsafePointer<UInt8>?,
    _ endpoint: UnsafePointer<fbwg_endpoint>?, _ keepalive: UInt16, _ now: UInt64, _ peer: UnsafeMutablePointer<UInt64>?
) -> fbwg_result {
    guard let tunnel = unsafe tunnel, let bytes = unsafe publicKey, let peer = unsafe peer,
        let publicKey = Tunnel.PublicKey(unsafe Span(_unsafeStart: bytes, count: Tunnel.PublicKey.byteCount))
    else { return FBWG_ERROR_ARGUMENT }
    var place: Tunnel.Endpoint?
    if let endpoint = unsafe endpoint {
        guard let known = Tunnel.Endpoint(unsafe endpoint.pointee) else { return FBWG_ERROR_ARGUMENT }
        place = known
    }
    let shared = unsafe key(presharedKey)
    return attempt { () throws(TunnelError) in
        let handle = try unsafe Box.of(tunnel).tunnel.addPeer(
            publicKey: publicKey, presharedKey: shared, endpoint: place, persistentKeepalive: .seconds(keepalive),
            at: Tunnel.Instant(nanoseconds: now))
        unsafe peer.pointee = handle.rawValue
        return FBWG_OK
    }
}

@c public func fbwg_remove_peer(_ tunnel: OpaquePointer?, _ peer: UInt64) -> fbwg_result {
    guard let tunnel = unsafe tunnel else { return FBWG_ERROR_ARGUMENT }
    return attempt { () throws(TunnelError) in
        try unsafe Box.of(tunnel).tunnel.removePeer(Tunnel.PeerHandle(rawValue: peer))
        return FBWG_OK
    }
}

@c public func fbwg_set_endpoint(
    _ tunnel: OpaquePointer?, _ peer: UInt64, _ endpoint: UnsafePointer<fbwg_endpoint>?, _ now: UInt64
) -> fbwg_result {
    guard let tunnel = unsafe tunnel, let endpoint = unsafe endpoint,
        let place = Tunnel.Endpoint(unsafe endpoint.pointee)
    else { return FBWG_ERROR_ARGUMENT }
    return attempt { () throws(TunnelError) in
        try unsafe Box.of(tunnel).tunnel.setEndpoint(
            of: Tunnel.PeerHandle(rawValue: peer), to: place, at: Tunnel.Instant(nanoseconds: now))
        return FBWG_OK
    }
}

@c public func fbwg_set_preshared_key(
    _ tunnel: OpaquePointer?, _ peer: UInt64, _ presharedKey: UnsafePointer<UInt8>?
) -> fbwg_result {
    guard let tunnel = unsafe tunnel else { return FBWG_ERROR_ARGUMENT }
    let shared = unsafe key(presharedKey)
    return attempt { () throws(TunnelError) in
        try unsafe Box.of(tunnel).tunnel.setPresharedKey(of: Tunnel.PeerHandle(rawValue: peer), to: shared)
        return FBWG_OK
    }
}

@c public func fbwg_set_persistent_keepalive(
    _ tunnel: OpaquePointer?, _ peer: UInt64, _ seconds: UInt16, _ now: UInt64
) -> fbwg_result {
    guard let tunnel = unsafe tunnel else { return FBWG_ERROR_ARGUMENT }
    return attempt { () throws(TunnelError) in
        try unsafe Box.of(tunnel).tunnel.setPersistentKeepalive(
            of: Tunnel.PeerHandle(rawValue: peer), to: .seconds(seconds), at: Tunnel.Instant(nanoseconds: now))
        return FBWG_OK
    }
}

@c public func fbwg_get_peer_status(
    _ tunnel: OpaquePointer?, _ peer: UInt64, _ status: UnsafeMutablePointer<fbwg_peer_status>?
) -> fbwg_result {
    guard let tunnel = unsafe tunnel, let status = unsafe status else { return FBWG_ERROR_ARGUMENT }
    return attempt { () throws(TunnelError) in
        let known = try unsafe Box.of(tunnel).tunnel.status(of: Tunnel.PeerHandle(rawValue: peer))
        unsafe status.pointee = fbwg_peer_status(
            endpoint: known.endpoint?.forC ?? fbwg_endpoint(), last_handshake: known.lastHandshake?.seconds ?? 0,
            bytes_received: known.bytesReceived, bytes_sent: known.bytesSent,
            packets_staged: UInt32(clamping: known.packetsStaged),
            persistent_keepalive: UInt16(clamping: known.persistentKeepalive.components.seconds),
            has_session: known.hasSession ? 1 : 0, has_preshared_key: known.hasPresharedKey ? 1 : 0)
        return FBWG_OK
    }
}

/// None for NULL.
private func key(_ bytes: UnsafePointer<UInt8>?) -> Tunnel.PresharedKey {
    guard let bytes = unsafe bytes else { return .absent }
    return Tunnel.PresharedKey(unsafe Span(_unsafeStart: bytes, count: Tunnel.PresharedKey.byteCount)) ?? .absent
}
