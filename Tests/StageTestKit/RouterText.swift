import Configuration
import Pipeline

/// Whole router files for stages whose options speak of zones and peers. Beside the stages under test they may name the
/// core ones.
package struct RouterText {
    private let stages: [StageSchema]

    package init(_ stages: [StageSchema]) {
        self.stages =
            stages
            + [
                StageDeclaration(
                    name: "tun", summary: "", outbound: Passage(provides: .plaintext),
                    inbound: Passage(needs: [.plaintext, .sourceChecked])),
                StageDeclaration(
                    name: "allowed-ips", summary: "", outbound: Passage(needs: .plaintext, provides: .peer),
                    inbound: Passage(needs: [.plaintext, .peer], provides: .sourceChecked)),
                StageDeclaration(
                    name: "wireguard", summary: "",
                    outbound: Passage(needs: [.plaintext, .peer], provides: .sealed, removes: .plaintext),
                    inbound: Passage(needs: .sealed, provides: [.plaintext, .peer], removes: .sealed)),
                StageDeclaration(
                    name: "udp", summary: "", outbound: Passage(needs: .sealed), inbound: Passage(provides: .sealed)),
            ].map { StageSchema($0) }
    }

    /// Public keys without private ones: 32 times the byte 0x01, and so on.
    package static let keys = [
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
        "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
    ]

    /// A router with tunnel wg0 and the peers alice, bob (who has a prefix within alice's) and carol; its zones are wan
    /// (eth0), lan (eth1 and br-*), vpn (wg0) and admins (alice and bob). `stages` are lines of the pipeline, above tun;
    /// `rest` are further sections. The first line of `stages` is line 3.
    package static func file(_ stages: String, _ rest: String = "") -> String {
        """
        fullbore: 1
        pipeline:
        \(stages)
          - tun
          - allowed-ips
          - wireguard
          - udp
        zones:
          wan: { interfaces: [eth0] }
          lan: { interfaces: [eth1, "br-*"] }
          vpn: { tunnels: [wg0] }
          admins: { peers: [alice, bob] }
        interfaces:
          wg0:
            private-key: { file: k }
            listen-port: 51820
            addresses: [10.80.0.1/16, "fd80::1/64"]
            peers:
              alice: { public-key: \(keys[0]), allowed-ips: [10.80.1.0/24, "fd80::1:0/112"] }
              bob: { public-key: \(keys[1]), allowed-ips: [10.80.1.128/25, "fd80::1:8000/113"] }
              carol: { public-key: \(keys[2]), allowed-ips: [10.80.3.0/24, "fd80::3:0/112"] }
        \(rest)
        """
    }

    /// What the file declares; throws the report.
    package func load(_ text: String) throws(ConfigurationReport) -> LoadedConfiguration {
        try ConfigurationFile.load(SourceText(file: "router.yaml", bytes: Array(text.utf8)), stages: stages)
    }

    package func context(_ text: String) throws(ConfigurationReport) -> FileContext {
        try load(text).configuration.context(file: "router.yaml")
    }

    /// What a user gets to see, a line for each thing that was found: `3:20: unknown service 'shs' (did you mean 'ssh'?)`.
    package func findings(_ text: String) -> [String] {
        let report: ConfigurationReport
        do throws(ConfigurationReport) { report = try load(text).warnings } catch { report = error }
        return report.diagnostics.map { diagnostic in
            let place = diagnostic.position.map { "\($0.line):\($0.column): " } ?? ""
            return place + (diagnostic.severity == .warning ? "warning: " : "") + diagnostic.message
        }
    }
}
