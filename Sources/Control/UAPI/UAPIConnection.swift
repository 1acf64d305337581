import Glibc
import Linux
import Synchronization

/// A client's descriptor on its way to its thread.
final class UAPIConnection: Sendable {
    let descriptor: FileDescriptor
    private let ended = Atomic(false)

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Nothing more will come.
    var hasEnded: Bool { ended.load(ordering: .relaxed) }

    /// What is there, without waiting; 0 when that is nothing for now, or for ever (`hasEnded`).
    func receive(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe recv(descriptor.rawValue, room.baseAddress, room.count, CInt(MSG_DONTWAIT))
        if count == 0 || (count < 0 && !Self.isForNow(errno)) { ended.store(true, ordering: .relaxed) }
        return max(count, 0)
    }

    /// How many of the bytes were taken; nil when the client is gone.
    func send(_ bytes: UnsafeRawBufferPointer) -> Int? {
        // Not write: a client that went away must not raise SIGPIPE.
        let flags = CInt(MSG_NOSIGNAL | MSG_DONTWAIT)
        let count = unsafe Glibc.send(descriptor.rawValue, bytes.baseAddress, bytes.count, flags)
        if count >= 0 { return count }
        return Self.isForNow(errno) ? 0 : nil
    }

    private static func isForNow(_ error: CInt) -> Bool { error == EAGAIN || error == EINTR }
}
