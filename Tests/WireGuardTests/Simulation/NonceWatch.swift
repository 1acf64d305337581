import Wire

@testable import WireGuard

/// Eve's notes: which counter each session was last used with. A counter that does not grow is a nonce used twice.
final class NonceWatch {
    /// Of more sessions than can be alive the oldest are forgotten.
    private static let bound = 64

    private var last: [UInt32: UInt64] = [:]
    private var order: [UInt32] = []
    private(set) var messages = 0
    private(set) var reuses: [(receiver: UInt32, counter: UInt64)] = []

    func see(_ datagram: Datagram) {
        guard datagram.type == .data else { return }
        messages += 1
        let receiver = datagram.bytes.word(4)
        let counter = UInt64(datagram.bytes.word(8)) | UInt64(datagram.bytes.word(12)) << 32
        if let last = last[receiver] {
            if counter <= last { reuses.append((receiver, counter)) }
        } else {
            order.append(receiver)
            if order.count > Self.bound { last[order.removeFirst()] = nil }
        }
        last[receiver] = counter
    }
}
