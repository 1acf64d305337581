import Configuration
import Crypto
import Pipeline
import Testing
import Wire

struct ConfigurationFileTests {
    private let nowhere = SourcePosition(line: 9999, column: 1)

    private func at<T>(_ value: T) -> Located<T> { Located(value, at: nowhere) }

    private func pipeline(_ stages: [String]) -> [PipelineEntry] { stages.map { PipelineEntry(stage: at($0)) } }

    @Test func `the whole file gives its typed values`() throws {
        let loaded = try Fixtures.load(Fixtures.router).get()
        let limits = Fixtures.RateLimit(
            down: BitRate(bitsPerSecond: 100_000_000), up: BitRate(bitsPerSecond: 50_000_000))
        var stages = pipeline(["firewall", "tun", "allowed-ips", "rate-limit", "wireguard", "udp"])
        stages[3].options = Fixtures.RateLimitOptions(default: limits)
        var runtime = RuntimeConfiguration()
        runtime.workers = .count(4)
        runtime.aead = .libsodium
        runtime.offloads.tun = .on
        runtime.offloads.udpGRO = .off
        let peerLimits = Fixtures.RateLimit(
            down: BitRate(bitsPerSecond: 50_000_000), up: BitRate(bitsPerSecond: 20_000_000))
        let berlin = PeerConfiguration(
            name: at("berlin"), publicKey: at(try #require(PublicKey(base64: Fixtures.keys[0]))),
            presharedKey: at(.credential("berlin.psk")),
            endpoint: at(HostPort(host: .name("berlin.example.net"), port: 51820)),
            allowedIPs: [at(try #require(Prefix("10.80.0.2/32"))), at(try #require(Prefix("192.168.20.0/24")))],
            persistentKeepalive: .seconds(25), stageOptions: ["rate-limit": peerLimits])
        let paris = PeerConfiguration(
            name: at("paris"), publicKey: at(try #require(PublicKey(base64: Fixtures.keys[1]))), presharedKey: nil,
            endpoint: at(HostPort(host: .address(try #require(IPAddress("2001:db8::7")), zone: nil), port: 7)),
            allowedIPs: [at(try #require(Prefix("fd80::7/128")))], persistentKeepalive: nil)
        let wg0 = InterfaceConfiguration(
            name: at("wg0"), privateKey: at(.file("/etc/fullbore/wg0.key")), listenPort: at(51820),
            addresses: [
                at(try InterfaceAddress(Value.Scalar("10.80.0.1/24"))),
                at(try InterfaceAddress(Value.Scalar("fd80::1/64"))),
            ],
            mtu: 1400, fwmark: 0xca6c, routes: true, peers: [berlin, paris])

        #expect(
            loaded.configuration
                == RouterConfiguration(
                    name: "edge-1", pipeline: stages, interfaces: [wg0], runtime: runtime, forwarding: .off))
        #expect(loaded.warnings.isEmpty)
        // Host bits are what makes it an address.
        #expect(loaded.configuration.interfaces[0].addresses[0].value.address == IPAddress("10.80.0.1"))
    }

    @Test func `values know where they stand`() throws {
        let wg0 = try Fixtures.load(Fixtures.router).get().configuration.interfaces[0]
        #expect(wg0.name.position == SourcePosition(line: 17, column: 3))
        #expect(wg0.privateKey?.position == SourcePosition(line: 18, column: 18))
        #expect(wg0.listenPort.position == SourcePosition(line: 19, column: 18))
        #expect(wg0.addresses.map(\.position.column) == [17, 31])
        #expect(wg0.peers[0].allowedIPs[1].position == SourcePosition(line: 29, column: 37))
    }

    @Test func `what is left out has its default`() throws {
        let text = "fullbore: 1\ninterfaces: { wg0: { private-key: { file: k }, peers: {} } }\n"
        let configuration = try Fixtures.load(text).get().configuration
        let wg0 = try #require(configuration.interfaces.first)
        #expect(configuration.name == "router")
        #expect(configuration.pipeline == pipeline(["tun", "allowed-ips", "wireguard", "udp"]))
        #expect(configuration.runtime == RuntimeConfiguration())
        #expect(configuration.runtime.workers == .auto && configuration.runtime.aead == .auto)
        #expect(configuration.forwarding == .auto)
        #expect((wg0.listenPort.value, wg0.mtu, wg0.fwmark, wg0.routes) == (0, 1420, 0, true))
        #expect(wg0.addresses.isEmpty && wg0.peers.isEmpty)
    }

    @Test(arguments: [
        ("/etc/fullbore/edge-7.yaml", "edge-7"), ("edge.yml", "edge"), ("./a.b.yaml", "a.b"), ("router", "router"),
    ])
    func `a file without a name is called by its own`(_ path: String, _ name: String) throws {
        let text = "fullbore: 1\ninterfaces: { wg0: { private-key: { file: k } } }\n"
        let source = SourceText(file: path, bytes: Array(text.utf8))
        #expect(try ConfigurationFile.load(source, stages: Fixtures.stages).configuration.name == name)
    }

    @Test func `a file whose own name will not do needs a name`() {
        let text = "fullbore: 1\ninterfaces: { wg0: { private-key: { file: k } } }\n"
        let error = #expect(throws: ConfigurationReport.self) {
            try ConfigurationFile.load(
                SourceText(file: "/tmp/my router.yaml", bytes: Array(text.utf8)), stages: Fixtures.stages)
        }
        #expect(error?.description.contains("the file's own name will not do, so it needs a 'name'") == true)
    }

    @Test func `a file that is not there, and a folder, are errors without a position`() {
        for (path, report) in [
            ("/nonexistent/r.yaml", "/nonexistent/r.yaml: no such file"), ("/etc", "/etc: not a file"),
        ] {
            let error = #expect(throws: ConfigurationReport.self) {
                try ConfigurationFile.load(path: path, stages: Fixtures.stages)
            }
            #expect(error?.description == report)
        }
    }

    @Test func `moving a value to another line is no change, and another value is one`() throws {
        let first = try Fixtures.load(Fixtures.router).get().configuration
        let moved = try Fixtures.load("# a comment\n\n" + Fixtures.router).get().configuration
        let other = try Fixtures.load(Fixtures.router.replacing("down: 50mbit", with: "down: 51mbit")).get()
            .configuration
        #expect(first == moved)
        #expect(first != other)
    }

    @Test func `plain words of YAML 1_1 are text`() throws {
        let text =
            "fullbore: 1\nname: no\ninterfaces: { on: { private-key: { file: 22:22 }, peers: { y: { public-key: \(Fixtures.keys[0]) } } } }\n"
        let configuration = try Fixtures.load(text).get().configuration
        #expect(configuration.name == "no")
        #expect(configuration.interfaces[0].name.value == "on")
        #expect(configuration.interfaces[0].privateKey?.value == .file("22:22"))
        #expect(configuration.interfaces[0].peers[0].name.value == "y")
    }

    @Test func `anchors and aliases repeat what they stand for`() throws {
        let text = """
            fullbore: 1
            pipeline: [tun, allowed-ips, rate-limit, wireguard, udp]
            interfaces:
              wg0:
                private-key: { file: k }
                peers:
                  a: { public-key: \(Fixtures.keys[0]), rate-limit: &slow { down: 1mbit, up: 500kbit } }
                  b: { public-key: \(Fixtures.keys[1]), rate-limit: *slow }

            """
        let peers = try Fixtures.load(text).get().configuration.interfaces[0].peers
        let slow = Fixtures.RateLimit(down: BitRate(bitsPerSecond: 1_000_000), up: BitRate(bitsPerSecond: 500_000))
        #expect(peers.allSatisfy { $0.stageOptions["rate-limit"]?.isEqual(to: slow) == true })
    }

    @Test func `one prefix on two interfaces is fine where it becomes no route, and so is fe80 everywhere`() throws {
        let text = """
            fullbore: 1
            interfaces:
              wg0:
                private-key: { file: k }
                routes: false
                addresses: [fe80::1/64]
                peers: { a: { public-key: \(Fixtures.keys[0]), allowed-ips: [0.0.0.0/0, "::/0"] } }
              wg1:
                private-key: { file: k }
                routes: false
                addresses: [fe80::1/64]
                peers: { a: { public-key: \(Fixtures.keys[0]), allowed-ips: [0.0.0.0/0, "::/0"] } }

            """
        #expect(try Fixtures.load(text).get().configuration.interfaces.count == 2)
    }

    @Test(arguments: [
        (
            "addresses: [10.0.0.0/24]",
            "router.yaml:5:17: warning: 10.0.0.0/24 is the network itself, not an address in it\n"
                + "    addresses: [10.0.0.0/24]\n                ^"
        ),
        (
            "peers: { a: { allowed-ips: [10.1.2.3/24], public-key: \(Fixtures.keys[0]) } }",
            "router.yaml:5:33: warning: '10.1.2.3/24' has host bits set and is taken as 10.1.2.0/24\n"
                + "    peers: { a: { allowed-ips: [10.1.2.3/24], public-key: \(String(repeating: "*", count: 44)) } }\n"
                + String(repeating: " ", count: 32) + "^"
        ),
        ("addresses: [10.0.0.0/31, \"fd00::/127\", 10.0.0.9]", ""),
    ])
    func `what is probably not meant is a warning, and the file loads`(_ line: String, _ report: String) throws {
        let text = "fullbore: 1\ninterfaces:\n  wg0:\n    private-key: { file: k }\n    \(line)\n"
        #expect(try Fixtures.load(text).get().warnings.description == report)
    }

    @Test func `all errors of a file are told at once, in its order`() throws {
        let text = """
            fullbore: 1
            nmae: edge
            health: {}
            interfaces:
              wg0:
                listen-port: 99999
                routes: on
                peers:
                  berlin: { allowed-ips: [10.0.0.0/24], endpoint: berlin }
                  paris: { public-key: x, allowed-ips: [10.0.0.0/24], persistant-keepalive: 5 }

            """
        guard case .failure(let report) = Fixtures.load(text) else {
            Issue.record("it loaded")
            return
        }
        #expect(
            report.diagnostics.map { "\($0.position?.line ?? 0) \($0.message.prefix(24))" } == [
                "2 unknown key 'nmae' (did ", "3 'health' is not supporte", "6 'private-key' is missing",
                "6 expected a whole number ", "7 expected true or false, ", "9 'public-key' is missing ",
                "9 expected an endpoint suc", "10 this is not a public key", "10 peer 'paris' claims 10.0",
                "10 unknown key 'persistant-",
            ])
    }

    private static func load(_ lines: String) throws -> LoadedConfiguration {
        try Fixtures.load("fullbore: 1\ninterfaces:\n  wg0:\n    private-key: { file: k }\n    \(lines)\n").get()
    }

    @Test func `an endpoint that may lie behind itself is a warning`() throws {
        let lines = """
            peers:
                  a:
                    public-key: \(Fixtures.keys[0])
                    allowed-ips: [10.0.0.0/8]
                    endpoint: 10.2.0.9:51820
            """
        let report = """
            router.yaml:9:19: warning: unless the host has a better route, the one to 10.0.0.0/8 on line 8 leads into the \
            tunnel of peer 'a', whose endpoint this is
                    endpoint: 10.2.0.9:51820
                              ^
            """
        #expect(try Self.load(lines).warnings.description == report)
    }

    @Test func `an endpoint lies well by a rule, behind another peer, or where others make the routes`() throws {
        func peer(_ name: String, _ key: String, _ allowed: String) -> String {
            "\(name): { public-key: \(key), allowed-ips: [\(allowed)], endpoint: \"10.2.0.9:1\" }"
        }
        let (first, second) = (Fixtures.keys[0], Fixtures.keys[1])
        let fine = [
            "peers: { \(peer("a", first, "0.0.0.0/0")) }",
            "peers: { \(peer("a", first, "10.0.0.0/8")), b: { public-key: \(second), allowed-ips: [10.2.0.0/16] } }",
            "routes: false\n    peers: { \(peer("a", first, "10.2.0.9/32")) }",
        ]
        for lines in fine { #expect(try Self.load(lines).warnings.description == "") }
    }
}
