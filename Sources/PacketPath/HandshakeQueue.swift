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

    /// One kind of what waits. Each gets its turn, so that none can keep the others away.
    private enum Kind: Int, CaseIterable {
        /// Our own initiations: at most one for each peer, because the engine asks again only when one is done.
        case own
        /// Responses to what we have sent: by their receiver index, which only who has seen our initiation knows.
        case response
        /// Initiations with what may be a cookie.
        case withCookie
        /// Initiations without a cookie: all that a flood from forged addresses can be.
        case withoutCookie

        init(_ work: Work) {
            switch work {
            case .initiate: self = .own
            case .response: self = .response
            case .initiation(let message): self = message.showsCookie ? .withCookie : .withoutCookie
            }
        }

        var bound: Int {
            switch self {
            case .own: .max
            case .response, .withCookie: Limits.vouchedHandshakeQueue
            case .withoutCookie: Limits.handshakeQueue
            }
        }
    }

    /// By `Kind`.
    private var waiting = Kind.allCases.map { _ in Fifo<Entry>() }
    /// The kind whose turn was last.
    private var last = 0

    var isEmpty: Bool { waiting.allSatisfy(\.isEmpty) }
    /// How many messages from outside wait: what tells whether we are under load.
    var strangersWaiting: Int { waiting.reduce(0) { $0 + $1.count } - waiting[Kind.own.rawValue].count }

    /// False, and no change, when too many messages of its kind wait.
    mutating func append(_ entry: Entry) -> Bool {
        let kind = Kind(entry.work)
        guard waiting[kind.rawValue].count < kind.bound else { return false }
        waiting[kind.rawValue].append(entry)
        return true
    }

    mutating func popFirst() -> Entry? {
        for _ in waiting.indices {
            last = (last + 1) % waiting.count
            if let entry = waiting[last].popFirst() { return entry }
        }
        return nil
    }
}
