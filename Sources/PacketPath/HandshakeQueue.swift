import WireGuard
import Wire

/// A handshake message as it came in, on its way off the packet path.
struct HandshakeMessage: Sendable {
    let type: MessageType
    let path: Path
    private let bytes: InlineArray<148, UInt8>

    /// Copies an initiation or response of full length.
    init(_ message: UnsafeRawPointer, _ type: MessageType, from path: Path) {
        self.type = type
        self.path = path
        var bytes = InlineArray<148, UInt8>(repeating: 0)
        unsafe withUnsafeMutableBytes(of: &bytes) {
            unsafe $0.baseAddress.unsafelyUnwrapped.copyMemory(
                from: message, byteCount: type == .initiation ? Initiation.size : Response.size)
        }
        self.bytes = bytes
    }

    @safe func withBytes<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        unsafe withUnsafeBytes(of: bytes) { unsafe body($0.baseAddress.unsafelyUnwrapped) }
    }
}

/// What waits to be computed: our own initiations, and what strangers send, of which only so many may wait.
struct HandshakeQueue: ~Copyable {
    /// One handshake's computation.
    enum Work: Sendable {
        /// One of our own; `worker` has asked for it.
        case initiate(InitiationTask)
        case initiation(HandshakeMessage)
        /// With the initiation that it says it answers.
        case response(HandshakeMessage, InitiatedHandshake)
    }

    struct Entry: Sendable {
        let work: Work
        let interface: InterfaceID
        /// Where it came from, and where the answer goes unless the peer has another owner.
        let worker: Int
    }

    /// At most one for each peer: the engine asks again only when one is done.
    private var own = Fifo<Entry>()
    private var strangers = Fifo<Entry>()

    var isEmpty: Bool { own.isEmpty && strangers.isEmpty }
    /// How many messages from outside wait: what tells whether we are under load.
    var strangersWaiting: Int { strangers.count }

    /// False, and no change, when too many messages from outside wait.
    mutating func append(_ entry: Entry) -> Bool {
        if case .initiate = entry.work {
            own.append(entry)
            return true
        }
        guard strangers.count < Limits.handshakeQueue else { return false }
        strangers.append(entry)
        return true
    }

    /// The next one: our own first, which nobody can have us make by sending us something.
    mutating func popFirst() -> Entry? { own.popFirst() ?? strangers.popFirst() }
}

/// First in, first out, in a ring that grows to what was needed at once and stays.
private struct Fifo<Element> {
    private var ring: ContiguousArray<Element?> = []
    private var first = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) {
        if count == ring.count { grow() }
        ring[(first + count) % ring.count] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        defer {
            ring[first] = nil
            first = (first + 1) % ring.count
            count -= 1
        }
        return ring[first]
    }

    private mutating func grow() {
        var larger = ContiguousArray<Element?>()
        larger.reserveCapacity(max(64, 2 * ring.count))
        for index in 0..<count { larger.append(ring[(first + index) % ring.count]) }
        while larger.count < larger.capacity { larger.append(nil) }
        ring = larger
        first = 0
    }
}
