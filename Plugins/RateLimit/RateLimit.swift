import Pipeline
import Wire

/// Holds each peer, and each group of peers, to a rate and a volume.
///
/// What goes to a peer (`down`) is shaped: it waits in a queue with fairness between flows and CoDel (`FlowQueue`), and
/// leaves at the earliest moment that the buckets allow. What comes from it (`up`) is policed, once it has been
/// authenticated: too late for waiting to be of use. Why, and what the numbers are: etc/decisions/rate-limit.md.
package final class RateLimit: PluginStage {
    package static let declaration = StageDeclaration(
        name: "rate-limit", summary: "holds peers and groups of them to a rate and a volume",
        outbound: Passage(needs: [.plaintext, .peer]), inbound: Passage(needs: [.plaintext, .peer]),
        counters: Tally.counters, drops: RateLimitDrop.self)

    package struct Options: OptionRecord {
        /// Of each peer that has none of its own.
        let standard: Limit?

        package init(standard: Limit? = nil) { self.standard = standard }
        package init?(_ options: inout OptionReader) {
            standard = options.optional("default", help: "the limit of each peer that has none of its own")
        }
    }
    package typealias PeerOptions = Limit
    package typealias GroupOptions = Limit

    /// One access a batch and not one a packet: each is checked at run time.
    var limiter: Limiter

    package init(_ options: Options, _ environment: StageEnvironment) {
        limiter = Limiter(options.standard ?? .none, environment)
    }

    package func outbound(_ batch: inout PacketBatch) { limiter.outbound(&batch) }
    package func inbound(_ batch: inout PacketBatch) { limiter.inbound(&batch) }

    package var nextDeadline: Instant { limiter.nextDeadline }
    package func originate(down: inout PacketBatch, up: inout PacketBatch) { limiter.originate(&down) }
    package func release(down: inout PacketBatch, up: inout PacketBatch) { limiter.release(&down) }

    package func set(_ peer: PeerID, _ options: Limit?) { limiter.set(peer, options) }
    package func set(_ peer: PeerID, group: GroupID?) { limiter.set(peer, group: group) }
    package func remove(_ peer: PeerID) { limiter.remove(peer) }
    package func set(_ group: GroupID, _ options: Limit?) { limiter.set(group, options) }
    package func remove(_ group: GroupID) { limiter.remove(group) }

    package func reconfigure(_ options: Options) -> Bool {
        limiter.setStandard(options.standard ?? .none)
        return true
    }

    package var report: StageReport { limiter.tally.report }
}
