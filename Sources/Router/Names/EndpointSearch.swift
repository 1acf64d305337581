import Wire

/// Where a peer is looked for whose endpoint is a name: at all addresses of the name in turn, and at those that it has by
/// then, once nobody has answered at any of them.
///
/// Driven by initiations that go unanswered, so that a peer that nobody wants to reach is not looked for. One moves on
/// only where the last handshake is so long ago that the session is dead: a short outage changes no endpoint.
struct EndpointSearch {
    /// A session is replaced after 120 s, and an answer takes 15 s at the most.
    static let deadAfter = Interval.seconds(135)
    /// So many initiations, one each 5 s, are left unanswered before the next address has its turn.
    static let triesPerAddress = 2
    /// Between two look-ups for silence's sake.
    static let lookUpPause = Interval.seconds(30)
    /// The most addresses of a name that are tried.
    static let candidateBound = 16

    enum Step: Equatable {
        case wait
        case lookUp
        case tryAt(Endpoint)
    }

    private var candidates: [Endpoint] = []
    /// The one whose turn is next; as many as there are when all have had theirs.
    private var next = 0
    private var unanswered = 0
    private var lookedUpAt: Instant?

    /// The name has these addresses now, the best first; the one to send to. Where it has none, what was known before is
    /// tried on.
    mutating func found(_ endpoints: [Endpoint], _ now: Instant) -> Endpoint? {
        lookedUpAt = now
        guard !endpoints.isEmpty else { return nil }
        candidates = Array(endpoints.prefix(Self.candidateBound))
        next = min(1, candidates.count)
        unanswered = 0
        return candidates.first
    }

    /// An initiation has gone unanswered; `handshakeAge` is the time since the last one that was answered, nil for never.
    mutating func unanswered(handshakeAge: Interval?, _ now: Instant) -> Step {
        if let handshakeAge, handshakeAge < Self.deadAfter {
            unanswered = 0
            return .wait
        }
        unanswered += 1
        guard unanswered >= Self.triesPerAddress else { return .wait }
        unanswered = 0
        if next < candidates.count {
            defer { next += 1 }
            return .tryAt(candidates[next])
        }
        if lookedUpAt.map({ now - $0 >= Self.lookUpPause }) ?? true { return .lookUp }
        guard candidates.count > 1 else { return .wait }
        next = 1
        return .tryAt(candidates[0])
    }
}
