import Configuration
import Pipeline

/// The stages that the tests' files may name: the core ones, one with options of both kinds, one in the kernel.
enum Fixtures {
    static let stages: [StageSchema] = [
        StageSchema(StageDeclaration(name: "firewall", summary: "guards", place: .host)),
        StageSchema(
            StageDeclaration(
                name: "tun", summary: "", outbound: Passage(provides: .plaintext),
                inbound: Passage(needs: [.plaintext, .sourceChecked]))),
        StageSchema(
            StageDeclaration(
                name: "allowed-ips", summary: "", outbound: Passage(needs: .plaintext, provides: .peer),
                inbound: Passage(needs: [.plaintext, .peer], provides: .sourceChecked))),
        StageSchema(
            StageDeclaration(
                name: "rate-limit", summary: "limits rates", outbound: Passage(needs: [.plaintext, .peer]),
                inbound: Passage(needs: [.plaintext, .peer]),
                counters: [
                    Counter<Void>("packets-delayed", "packets that had to wait") { 0 },
                    Counter<Void>("packets-waiting", "packets that wait", isGauge: true) { 0 },
                ], drops: Drop.self),
            options: RateLimitOptions.self, peerOptions: RateLimit.self, groupOptions: RateLimit.self),
        StageSchema(
            StageDeclaration(
                name: "wireguard", summary: "seals",
                outbound: Passage(needs: [.plaintext, .peer], provides: .sealed, removes: .plaintext),
                inbound: Passage(needs: .sealed, provides: [.plaintext, .peer], removes: .sealed))),
        StageSchema(
            StageDeclaration(
                name: "udp", summary: "sends", outbound: Passage(needs: .sealed), inbound: Passage(provides: .sealed))),
    ]

    enum Drop: Int, DropReason {
        case overLimit
        var name: String { "over-limit" }
    }

    struct RateLimit: OptionRecord {
        let down: BitRate
        let up: BitRate

        init(down: BitRate, up: BitRate) {
            self.down = down
            self.up = up
        }

        init?(_ options: inout OptionReader) {
            let down = options.require("down", as: BitRate.self, help: "to the peer")
            let up = options.require("up", as: BitRate.self, help: "from the peer")
            guard let down, let up else { return nil }
            self.init(down: down, up: up)
        }
    }

    struct RateLimitOptions: OptionRecord {
        var `default`: RateLimit?
        init(default limit: RateLimit?) { self.default = limit }
        init?(_ options: inout OptionReader) {
            self.default = options.optional("default", help: "for every peer without limits of its own")
        }
    }

    /// Public keys without private ones: 32 times the byte 0x01, and so on.
    static let keys = [
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
        "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
    ]

    /// The specification's example without what later formats add.
    static let router = """
        # /etc/fullbore/router.yaml
        fullbore: 1
        name: edge-1

        pipeline:
          - firewall
          - tun
          - allowed-ips
          - rate-limit: { default: { down: 100mbit, up: 50mbit } }
          - wireguard
          - udp

        runtime: { workers: 4, aead: libsodium, offloads: { tun: on, udp-gro: off } }
        forwarding: off

        interfaces:
          wg0:
            private-key: { file: /etc/fullbore/wg0.key }
            listen-port: 51820
            addresses: [10.80.0.1/24, "fd80::1/64"]
            mtu: 1400
            fwmark: 0xca6c
            routes: true
            peers:
              berlin:
                public-key: "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
                preshared-key: { credential: berlin.psk }
                endpoint: berlin.example.net:51820
                allowed-ips: [10.80.0.2/32, 192.168.20.0/24]
                persistent-keepalive: 25
                rate-limit: { down: 50mbit, up: 20mbit }
              paris:
                public-key: AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=
                endpoint: "[2001:db8::7]:7"
                allowed-ips: [fd80::7]

        """

    /// `text` read as `router.yaml`: what it declares, or the report that was thrown.
    static func load(_ text: String) -> Result<LoadedConfiguration, ConfigurationReport> {
        load(bytes: Array(text.utf8))
    }

    static func load(bytes: [UInt8]) -> Result<LoadedConfiguration, ConfigurationReport> {
        do throws(ConfigurationReport) {
            return .success(try ConfigurationFile.load(SourceText(file: "router.yaml", bytes: bytes), stages: stages))
        } catch {
            return .failure(error)
        }
    }

    /// What a user gets to see of `text`; empty for a good file without warnings.
    static func report(_ text: String) -> String {
        switch load(text) {
        case .success(let loaded): loaded.warnings.description
        case .failure(let report): report.description
        }
    }
}
