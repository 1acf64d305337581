import Firewall
import Glibc
import NAT
import Pipeline
import StageTestKit
import Support
import Testing

/// True where a TUN device can be made.
private let isPossible = unsafe access("/dev/net/tun", R_OK | W_OK) == 0 && PrivateNetwork.isPossible

/// The model that `tests` are judged by, and the kernel: of each packet both say which rule decides on it.
@Suite(.enabled(if: isPossible, "needs root and /dev/net/tun"), .serialized) struct AgreementTests {
    private static let files = 50
    private static let packetsAFile = 200

    @Test func `of ten thousand random packets the model and the kernel say the same`() throws {
        let disagreements = try PrivateNetwork.run {
            let scene = try Scene()
            var random = RandomPolicy(generator: SeededGenerator(seed: 0x6669_7265))
            var disagreements: [String] = []
            var seen: Set<String> = []
            for file in 0..<Self.files {
                let text = random.file()
                let context = try RouterText([Firewall.schema, NAT.schema]).context(text)
                let options = try #require(context.stages.first?.options as? FirewallOptions)
                let policy = Policy(options, context, Diagnostics())
                try scene.apply(context)
                var before = try scene.counts(context)
                for number in 0..<Self.packetsAFile {
                    let sent = random.packet(file * Self.packetsAFile + number, context)
                    let outcomes = policy.outcomes(of: sent.flow)
                    let outcome = try #require(outcomes.count == 1 ? outcomes.first : nil, "\(sent.text)")
                    let expected = Self.counter(outcome, isForHost: sent.flow.to.isHost)
                    try scene.send(sent.packet, into: sent.interface)
                    let after = try scene.counts(context)
                    let counted = Self.deciding.filterOut(after, before)
                    if counted != [expected] {
                        disagreements.append("\(sent.text): the model says \(expected), the kernel \(counted)\n\(text)")
                    }
                    seen.insert(expected.hasPrefix("rule-") ? "rule" : expected)
                    before = after
                }
            }
            // The packets have come to all that there is.
            #expect(
                seen.isSuperset(of: [
                    "rule", "same-zone", "default-input", "default-forward", "listen-ports", "opened-forward-web",
                    "opened-forward-at", "opened-forward-own",
                ]), "\(seen)")
            return disagreements
        }
        #expect(disagreements.isEmpty, "\(disagreements.count): \(disagreements.first ?? "")")
    }

    private static func counter(_ outcome: Outcome, isForHost: Bool) -> String {
        outcome.counter == "default" ? (isForHost ? "default-input" : "default-forward") : outcome.counter
    }

    /// Counters beside those that decide: of translations, and of this host's own answers.
    private static let deciding = Deciding()

    struct Deciding {
        func filterOut(_ after: [String: UInt64], _ before: [String: UInt64]) -> [String] {
            after.filter { name, count in
                count != before[name] ?? 0 && !name.hasPrefix("forward-")
            }.map(\.key).sorted()
        }
    }
}
