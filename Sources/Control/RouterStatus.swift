/// What a running router tells of itself: the answer to `status`, and the shape of `fullbore show --json`.
///
/// `version` grows when a field changes its meaning or goes; new fields do not change it. Times are seconds since
/// 1970, sizes bytes, intervals seconds. Keys are spelled as in the router file. Secrets are not in it.
package struct RouterStatus: Codable, Sendable, Equatable {
    package static let currentVersion = 1

    package var version = RouterStatus.currentVersion
    package var name: String
    /// Empty for one without a file, which `wg` sets up.
    package var file: String
    package var pid: Int32
    package var workers: Int
    /// The implementation of ChaCha20-Poly1305.
    package var aead: String
    package var interfaces: [Interface]
    /// In the order of the pipeline, then `workers` for what went between workers.
    package var stages: [Stage]

    package init(
        name: String, file: String, pid: Int32, workers: Int, aead: String, interfaces: [Interface], stages: [Stage]
    ) {
        self.name = name
        self.file = file
        self.pid = pid
        self.workers = workers
        self.aead = aead
        self.interfaces = interfaces
        self.stages = stages
    }

    package struct Interface: Codable, Sendable, Equatable {
        package var name: String
        /// Base64, as everywhere; empty for an interface without a private key.
        package var publicKey: String
        package var listenPort: UInt16
        package var fwmark: UInt32
        package var mtu: Int
        package var addresses: [String]
        /// In the order of the file.
        package var peers: [Peer]

        enum CodingKeys: String, CodingKey {
            case name, fwmark, mtu, addresses, peers
            case publicKey = "public-key"
            case listenPort = "listen-port"
        }

        package init(
            name: String, publicKey: String, listenPort: UInt16, fwmark: UInt32, mtu: Int, addresses: [String],
            peers: [Peer]
        ) {
            self.name = name
            self.publicKey = publicKey
            self.listenPort = listenPort
            self.fwmark = fwmark
            self.mtu = mtu
            self.addresses = addresses
            self.peers = peers
        }
    }

    package struct Peer: Codable, Sendable, Equatable {
        package var name: String
        package var publicKey: String
        package var hasPresharedKey: Bool
        /// nil until it is known.
        package var endpoint: String?
        package var allowedIPs: [String]
        /// nil before the first handshake.
        package var latestHandshake: UInt64?
        /// UDP payload of authentic messages.
        package var received: UInt64
        package var sent: UInt64
        /// 0 when it is off.
        package var persistentKeepalive: UInt16
        /// Whether there is a session that can be sent with.
        package var hasSession: Bool
        /// The worker that owns the peer.
        package var worker: Int

        enum CodingKeys: String, CodingKey {
            case name, endpoint, received, sent, worker
            case publicKey = "public-key"
            case hasPresharedKey = "preshared-key"
            case allowedIPs = "allowed-ips"
            case latestHandshake = "latest-handshake"
            case persistentKeepalive = "persistent-keepalive"
            case hasSession = "session"
        }

        package init(
            name: String, publicKey: String, hasPresharedKey: Bool, endpoint: String?, allowedIPs: [String],
            latestHandshake: UInt64?, received: UInt64, sent: UInt64, persistentKeepalive: UInt16, hasSession: Bool,
            worker: Int
        ) {
            self.name = name
            self.publicKey = publicKey
            self.hasPresharedKey = hasPresharedKey
            self.endpoint = endpoint
            self.allowedIPs = allowedIPs
            self.latestHandshake = latestHandshake
            self.received = received
            self.sent = sent
            self.persistentKeepalive = persistentKeepalive
            self.hasSession = hasSession
            self.worker = worker
        }
    }

    package struct Stage: Codable, Sendable, Equatable {
        package var name: String
        package var counters: [Count]
        /// Dropped packets by reason; all reasons, zeros included.
        package var drops: [Count]

        package init(name: String, counters: [Count], drops: [Count]) {
            self.name = name
            self.counters = counters
            self.drops = drops
        }
    }

    package struct Count: Codable, Sendable, Equatable {
        package var name: String
        package var value: UInt64

        package init(name: String, value: UInt64) {
            self.name = name
            self.value = value
        }
    }
}
