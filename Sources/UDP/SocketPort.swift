import Glibc
import Linux
import Pipeline
import Wire

/// A worker's sockets for one interface: one of each family on the same port.
package final class SocketPort: UDPPort {
    private let v4: FileDescriptor
    private let v6: FileDescriptor?
    /// What `v6` holds, for the calls; it cannot be borrowed out of an optional in a class.
    private let socketV6: CInt?
    package let descriptors: [CInt]
    private var receiver: Receiver
    private var sender: Sender
    private var counters = UDPCounters()
    private var overflows = (v4: UInt32(0), v6: UInt32(0))
    /// Which family is asked first, in turn, so that neither starves the other.
    private var startsWithV6 = false

    init(v4: consuming FileDescriptor, v6: consuming FileDescriptor?, offloads: UDPOffloads) {
        switch v6 {
        case .some(let v6): socketV6 = v6.rawValue
        case .none: socketV6 = nil
        }
        descriptors = [v4.rawValue] + (socketV6.map { [$0] } ?? [])
        self.v4 = v4
        self.v6 = v6
        receiver = Receiver(coalescing: offloads.coalescing)
        sender = Sender(segmentation: offloads.segmentation)
    }

    /// For other threads, through the same sockets.
    func makeReplySender() throws(Errno) -> any ReplySender { try SocketReplySender(v4: v4, v6: v6) }

    package func receive(into batch: inout PacketBatch) {
        var room = PacketBatch.capacity
        for index in 0..<batch.count { room -= batch[index].wirePackets }
        startsWithV6.toggle()
        if startsWithV6 { receiveV6(into: &batch, room: &room) }
        receiver.receive(
            from: v4.rawValue, into: &batch, room: &room, overflows: &overflows.v4, counters: &counters)
        if !startsWithV6 { receiveV6(into: &batch, room: &room) }
    }

    private func receiveV6(into batch: inout PacketBatch, room: inout Int) {
        guard let socket = socketV6 else { return }
        receiver.receive(from: socket, into: &batch, room: &room, overflows: &overflows.v6, counters: &counters)
    }

    package func send(_ batch: inout PacketBatch) {
        var anyV6 = false
        for index in 0..<batch.count {
            guard let path = batch[index].path else {
                counters.drops.count(.noEndpoint, batch[index].wirePackets)
                continue
            }
            if path.remote.address.family == .v6 {
                anyV6 = true
                if socketV6 == nil { counters.drops.count(.noSocket, batch[index].wirePackets) }
            }
        }
        sender.send(.v4, through: v4.rawValue, from: &batch, counters: &counters)
        if anyV6, let socket = socketV6 {
            sender.send(.v6, through: socket, from: &batch, counters: &counters)
        }
        batch.removeAll()
    }

    /// Sets SO_MARK of both sockets, 0 for none (P-6.6). The sources that peers have are the caller's to clear.
    package func setMark(_ mark: UInt32) throws(Errno) {
        for socket in descriptors {
            try SocketOption.set(socket, SOL_SOCKET, SO_MARK, CInt(bitPattern: mark), "SO_MARK")
        }
    }

    package var report: StageReport { counters.report }
}
