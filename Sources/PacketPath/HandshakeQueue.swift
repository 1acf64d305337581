import Wire
import WireGuard

/// A handshake message as it came in, on its way off the packet path.
struct HandshakeMessage: Sendable {
    let type: MessageType
    let path: Path
    /// Whether it is an initiation with a mac2, true or not.
    let showsCookie: Bool
    private let bytes: InlineArray<148, UInt8>

    /// Copies an initiation or response of full length.
    init(_ message: UnsafeRawPointer, _ type: MessageType, from path: Path) {
        self.type = type
        self.path = path
        showsCookie = unsafe type == .initiation && Initiation.hasMAC2(message)
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
    /// Initiations without a cookie: all that a flood from forged addresses can be.
    private var unvouched = Fifo<Entry>()
    /// Initiations with what may be a cookie, and responses to what we have sent.
    private var vouched = Fifo<Entry>()
    /// Which of the two comes next, when both have something.
    private var vouchedIsNext = true

    var isEmpty: Bool { own.isEmpty && unvouched.isEmpty && vouched.isEmpty }
    /// How many messages from outside wait: what tells whether we are under load.
    var strangersWaiting: Int { unvouched.count + vouched.count }

    /// False, and no change, when too many messages of its kind wait.
    mutating func append(_ entry: Entry) -> Bool {
        switch entry.work {
        case .initiate: own.append(entry)
        case .initiation(let message) where !message.showsCookie:
            guard unvouched.count < Limits.handshakeQueue else { return false }
            unvouched.append(entry)
        case .initiation, .response:
            guard vouched.count < Limits.vouchedHandshakeQueue else { return false }
            vouched.append(entry)
        }
        return true
    }

    /// The next one: our own first, which nobody can have us make by sending us something. Then those that are vouched for
    /// and others in turn: a flood of either kind leaves the other one half of the time.
    mutating func popFirst() -> Entry? {
        if let entry = own.popFirst() { return entry }
        defer { vouchedIsNext.toggle() }
        return vouchedIsNext
            ? vouched.popFirst() ?? unvouched.popFirst() : unvouched.popFirst() ?? vouched.popFirst()
    }
}
