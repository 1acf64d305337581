import Pipeline
import Testing

struct OptionsStageOrderTests {
    /// The stages by name, as they declare themselves.
    private static let declarations: [String: StageDeclaration] = {
        let all = [
            StageDeclaration(
                name: "tun", summary: "", outbound: Passage(provides: .plaintext),
                inbound: Passage(needs: [.plaintext, .sourceChecked])),
            StageDeclaration(
                name: "allowed-ips", summary: "", outbound: Passage(needs: .plaintext, provides: .peer),
                inbound: Passage(needs: [.plaintext, .peer], provides: .sourceChecked)),
            StageDeclaration(
                name: "rate-limit", summary: "", outbound: Passage(needs: .peer), inbound: Passage(needs: .peer)),
            StageDeclaration(
                name: "dscp", summary: "", outbound: Passage(needs: .plaintext), inbound: Passage(needs: .plaintext)),
            StageDeclaration(name: "after-check", summary: "", inbound: Passage(needs: .sourceChecked)),
            StageDeclaration(
                name: "obfuscate", summary: "", outbound: Passage(needs: .sealed), inbound: Passage(needs: .sealed)),
            StageDeclaration(name: "free", summary: ""),
            StageDeclaration(
                name: "wireguard", summary: "",
                outbound: Passage(needs: [.plaintext, .peer], provides: .sealed, removes: .plaintext),
                inbound: Passage(needs: .sealed, provides: [.plaintext, .peer], removes: .sealed)),
            StageDeclaration(
                name: "udp", summary: "", outbound: Passage(needs: .sealed), inbound: Passage(provides: .sealed)),
            StageDeclaration(name: "firewall", summary: "", place: .host),
            StageDeclaration(name: "nat", summary: "", place: .host),
        ]
        return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    }()

    @Test(
        arguments: [
            // Orders that work.
            ("tun allowed-ips wireguard udp", []),
            ("firewall nat tun allowed-ips rate-limit wireguard udp", []),
            ("tun free allowed-ips free2 wireguard udp", []),
            ("tun dscp allowed-ips dscp2 wireguard udp", []),
            ("tun after-check allowed-ips wireguard udp", []),
            ("tun allowed-ips wireguard obfuscate udp", []),
            (
                "tun allowed-ips wireguard rate-limit udp",
                ["4 rate-limit needs the packet's peer: put it above wireguard"]
            ),
            // A fact comes from further on.
            (
                "tun rate-limit allowed-ips wireguard udp",
                ["2 rate-limit needs the packet's peer: put it below allowed-ips"]
            ),
            (
                "tun allowed-ips after-check wireguard udp",
                ["3 after-check needs the packet's source checked: put it above allowed-ips"]
            ),
            (
                "tun obfuscate allowed-ips wireguard udp",
                ["2 obfuscate needs the packet sealed: put it below wireguard"]
            ),
            // A fact has been taken away.
            ("tun allowed-ips wireguard dscp udp", ["4 dscp needs the packet in plaintext: put it above wireguard"]),
            // The core out of order.
            (
                "tun wireguard allowed-ips udp",
                [
                    "2 wireguard needs the packet's peer: put it below allowed-ips",
                    "3 allowed-ips needs the packet in plaintext and the packet's peer: put it above wireguard",
                ]
            ),
            // The ends and the places.
            ("allowed-ips tun wireguard udp", ["2 tun is the top of the path: put it above allowed-ips"]),
            ("tun allowed-ips udp wireguard", ["3 udp is the bottom of the path: put it below wireguard"]),
            (
                "udp wireguard allowed-ips tun",
                [
                    "1 udp is the bottom of the path: put it below tun",
                    "4 tun is the top of the path: put it above udp",
                ]
            ),
            (
                "tun firewall allowed-ips nat wireguard udp",
                [
                    "2 firewall acts in the kernel, outside of the tunnel: put it above tun",
                    "4 nat acts in the kernel, outside of the tunnel: put it above tun",
                ]
            ),
            // What is missing or too much, without what follows from it.
            ("tun wireguard udp", ["0 the pipeline lacks allowed-ips"]),
            (
                "",
                [
                    "0 the pipeline lacks tun", "0 the pipeline lacks allowed-ips", "0 the pipeline lacks wireguard",
                    "0 the pipeline lacks udp",
                ]
            ),
            ("tun allowed-ips tun wireguard udp", ["3 tun stands in the pipeline twice"]),
            (
                "tun allowed-ips rate-limit rate-limit rate-limit wireguard udp",
                ["4 rate-limit stands in the pipeline twice", "5 rate-limit stands in the pipeline twice"]
            ),
        ] as [(String, [String])])
    func `an order works, or each problem says what to do`(_ order: String, _ problems: [String]) {
        let stages = order.split(separator: " ").compactMap { name in
            Self.declarations[String(name)]
                ?? Self.declarations[String(name.dropLast())].map {
                    StageDeclaration(name: String(name), summary: "", outbound: $0.outbound, inbound: $0.inbound)
                }
        }
        let found = StageOrder.problems(of: stages).map { "\(($0.index ?? -1) + 1) \($0.message)" }
        #expect(found.sorted() == problems.sorted())
    }

    @Test func `a fact that no stage provides has no remedy`() throws {
        var stages = try StageOrder.core.map { try #require(Self.declarations[$0]) }
        stages[1] = StageDeclaration(name: "allowed-ips", summary: "", outbound: Passage(provides: .peer))
        #expect(StageOrder.problems(of: stages).map(\.kind) == [.lacks(.sourceChecked, nil)])
        #expect(
            StageOrder.problems(of: stages).map(\.message)
                == ["tun needs the packet's source checked, which no stage of this pipeline provides"])
    }
}
