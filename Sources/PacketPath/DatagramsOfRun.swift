import Pipeline
import WireGuard

/// The datagrams of a run, one after the other. An empty one is one, too.
@safe struct DatagramsOfRun {
    @safe struct Message {
        let start: UnsafeRawPointer
        /// Where in the run it stands.
        let range: Range<Int>
        var count: Int { range.count }

        /// nil for what is no message of ours.
        var type: MessageType? { unsafe MessageType(at: start, count: count) }
    }

    private let start: UnsafeRawPointer
    private let count: Int
    private let size: Int
    private var offset = 0

    init(_ run: borrowing Packet) {
        unsafe start = UnsafeRawPointer(run.bytes)
        count = run.count
        size = run.datagramSize > 0 ? run.datagramSize : max(run.count, 1)
    }

    mutating func next() -> Message? {
        guard offset < max(count, 1) else { return nil }
        defer { offset += size }
        return unsafe Message(start: start + offset, range: offset..<min(offset + size, count))
    }

    /// The next one if it is a data message for this session.
    mutating func next(isFor receiver: UInt32) -> Message? {
        var ahead = self
        guard let message = ahead.next(), message.type == .data,
            unsafe DataMessage.receiverIndex(at: message.start, type: .data) == receiver
        else { return nil }
        self = ahead
        return message
    }
}
