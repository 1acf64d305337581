import Synchronization
import Wire

/// What a tunnel's peers are called outside and inside.
///
/// Inside, numbers are dense and used again, because the engine keeps an array of them. Outside, a handle is never used
/// again.
struct TunnelDirectory {
    private static let serials = Atomic<UInt64>(0)

    private var ids: [Tunnel.PeerHandle: PeerID] = [:]
    /// By `PeerID.index`.
    private var handles: [Tunnel.PeerHandle] = []
    private var free: [PeerID] = []

    var count: Int { ids.count }

    /// nil for a handle of a peer that is gone or another tunnel's.
    subscript(handle: Tunnel.PeerHandle) -> PeerID? { ids[handle] }

    /// The handle of a peer that is there.
    subscript(id: PeerID) -> Tunnel.PeerHandle { handles[id.index] }

    mutating func add() -> (PeerID, Tunnel.PeerHandle) {
        let handle = Tunnel.PeerHandle(serial: Self.serials.wrappingAdd(1, ordering: .relaxed).newValue)
        let id = free.popLast() ?? PeerID(handles.count)
        if id.index == handles.count { handles.append(handle) } else { handles[id.index] = handle }
        ids[handle] = id
        return (id, handle)
    }

    mutating func remove(_ handle: Tunnel.PeerHandle) {
        if let id = ids.removeValue(forKey: handle) { free.append(id) }
    }
}
