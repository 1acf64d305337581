import CWireGuard
import WireGuard

/// What a C program's pointer stands for: a tunnel, and the output that did not fit the program's buffer.
final class Box {
    let tunnel: Tunnel
    var waiting: Tunnel.Output?

    init(_ tunnel: Tunnel) { self.tunnel = tunnel }

    /// The pointer, which owns the box until `end`.
    static func hand(_ box: Box) -> OpaquePointer { unsafe OpaquePointer(Unmanaged.passRetained(box).toOpaque()) }

    static func of(_ pointer: OpaquePointer) -> Box {
        unsafe Unmanaged<Box>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    }

    static func end(_ pointer: OpaquePointer) { unsafe Unmanaged<Box>.fromOpaque(UnsafeRawPointer(pointer)).release() }
}

/// Runs what may be refused, and says what became of it.
func attempt(_ body: () throws(TunnelError) -> fbwg_result) -> fbwg_result {
    do {
        return try body()
    } catch {
        return fbwg_result(error)
    }
}

extension fbwg_result {
    init(_ error: TunnelError) {
        self =
            switch error {
            case .unknownPeer: FBWG_ERROR_UNKNOWN_PEER
            case .duplicatePeer: FBWG_ERROR_DUPLICATE_PEER
            case .ownPublicKey: FBWG_ERROR_OWN_KEY
            case .tooManyPeers: FBWG_ERROR_TOO_MANY_PEERS
            case .keepaliveOutOfRange: FBWG_ERROR_ARGUMENT
            case .noEndpoint: FBWG_ERROR_NO_ENDPOINT
            case .malformedPacket: FBWG_ERROR_MALFORMED_PACKET
            case .packetTooLarge: FBWG_ERROR_PACKET_TOO_LARGE
            case .outputsNotTaken: FBWG_ERROR_OUTPUTS_NOT_TAKEN
            }
    }
}

extension Tunnel.Endpoint {
    /// nil for a family that there is not.
    init?(_ endpoint: fbwg_endpoint) {
        let count: Int
        switch endpoint.family {
        case 4: count = 4
        case 6: count = 16
        default: return nil
        }
        let address = unsafe withUnsafeBytes(of: endpoint.address) { unsafe Array($0.prefix(count)) }
        self.init(address: address.span, port: endpoint.port, scope: endpoint.scope)
    }

    var forC: fbwg_endpoint {
        var endpoint = fbwg_endpoint()
        let bytes = address
        endpoint.family = bytes.count == 4 ? 4 : 6
        endpoint.port = port
        endpoint.scope = scope
        unsafe withUnsafeMutableBytes(of: &endpoint.address) { unsafe $0.copyBytes(from: bytes) }
        return endpoint
    }
}
