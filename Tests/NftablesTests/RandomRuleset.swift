import Support
import Wire

@testable import Nftables

/// Rulesets that share names and differ in all else.
enum RandomRuleset {
    static func make(_ random: inout SeededGenerator) -> (Table) -> Ruleset {
        let names = ["a", "b", "d", "e"].filter { _ in Bool.random(using: &random) }
        let sets = ["s1", "s2", "s3"].filter { _ in Bool.random(using: &random) }.map { set($0, &random) }
        // A jump goes to a chain without a hook: these never have one.
        var chains = names.map { Chain($0, rules: rules(&random)) }
        for name in ["x", "y", "z"] where Bool.random(using: &random) {
            let base = Bool.random(using: &random) ? base(&random) : nil
            chains.append(Chain(name, base, rules: rules(&random) + jumps(names, sets)))
        }
        chains.shuffle(using: &random)
        return { [chains] in Ruleset($0, sets: sets, chains: chains) }
    }

    private static func base(_ random: inout SeededGenerator) -> Chain.Base {
        Chain.Base(
            hook: [.input, .forward, .output].randomElement(using: &random) ?? .input,
            priority: .filter + Int32.random(in: 0...1, using: &random),
            policy: Bool.random(using: &random) ? .accept : .drop)
    }

    private static func rules(_ random: inout SeededGenerator) -> [Rule] {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in
            let number = UInt16.random(in: 1...9, using: &random)
            let ports = PortSet([number...number, 20...(20 + number)])
            return Rule(
                [.destinationPorts(.tcp, ports)], counter: "c\(number)",
                [.log(Log(prefix: "x", limit: Rate(1, per: .hour))), .drop],
                comment: "f:\(number)")
        }
    }

    private static func jumps(_ names: [String], _ sets: [SetDefinition]) -> [Rule] {
        names.map { Rule([], [.jump($0)], comment: "to \($0)") }
            + sets.map { Rule([.member([$0.key == [.v4] ? .sourceV4 : .sourceV6], of: $0.name)], [.accept]) }
    }

    private static func set(_ name: String, _ random: inout SeededGenerator) -> SetDefinition {
        let family: IPAddress.Family = Int.random(in: 0..<4, using: &random) == 0 ? .v6 : .v4
        let prefixes = (0..<Int.random(in: 0...6, using: &random)).compactMap { _ -> Prefix? in
            let length = Int.random(in: family == .v4 ? 1...4 : 2...3, using: &random)
            let bits = UInt32.random(in: 0...UInt32.max, using: &random)
            return Prefix(
                family == .v4 ? IPAddress(v4: bits) : IPAddress(v6High: UInt64(bits) << 32, low: 0), length: length)
        }
        return SetDefinition(name, PrefixSet(family, prefixes))
    }
}
