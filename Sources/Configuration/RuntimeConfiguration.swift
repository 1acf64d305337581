import Pipeline

/// How the program runs, as opposed to what it does: the section `runtime`.
package struct RuntimeConfiguration: Sendable, Equatable {
    package var workers = WorkerCount.auto
    package var aead = AEADChoice.auto
    package var offloads = OffloadConfiguration()
    /// Whether the greatest time stamp of each peer is kept over a restart.
    package var remembersTimestamps = true

    package init() {}
}

extension RuntimeConfiguration: OptionRecord {
    package init?(_ options: inout OptionReader) {
        workers = options.optional(
            "workers", default: .auto, help: "how many threads move packets; auto is one for each core")
        aead = options.optional("aead", default: .auto, help: "which implementation of ChaCha20-Poly1305 is used")
        offloads = options.optional(
            "offloads", default: OffloadConfiguration(), help: "which of the kernel's offloads are used")
        remembersTimestamps = options.optional(
            "remember-timestamps", default: true,
            help: "whether the greatest time stamp of each peer is kept over a restart")
    }
}

/// How many threads move packets.
package enum WorkerCount: Sendable, Equatable {
    /// One for each core.
    case auto
    case count(Int)

    /// The most queues that a TUN device has (MAX_TAP_QUEUES in the kernel's drivers/net/tun.c).
    package static let maximum = 256
}

extension WorkerCount: ScalarOption {
    package static var expected: String { "auto or a number from 1 to \(maximum)" }
    package static var shape: OptionShape { .either([.words(["auto"]), .whole(1...maximum)], expected: expected) }

    package init(_ scalar: Value.Scalar) throws(OptionError) {
        if scalar.text == "auto" {
            self = .auto
        } else if let count = try? Int(scalar), (1...Self.maximum).contains(count) {
            self = .count(count)
        } else {
            throw Self.unexpected(scalar, Suggestion.hint(for: scalar.text, among: ["auto"]))
        }
    }
}

/// Which implementation of ChaCha20-Poly1305 seals and opens.
package enum AEADChoice: String, OptionChoice {
    /// The fastest that passes its self-test.
    case auto
    case libsodium
    /// libIPSec_MB, or else the router does not start.
    case ipsecMB = "ipsec-mb"
}

/// Whether an offload is used.
package enum OffloadMode: String, OptionChoice {
    /// When it works here.
    case auto
    /// Or else the router does not start.
    case on
    case off
}

/// The kernel's offloads, each by itself.
package struct OffloadConfiguration: Sendable, Equatable {
    /// vnet_hdr with TSO, USO and checksum offload on the TUN device.
    package var tun = OffloadMode.auto
    /// UDP_SEGMENT.
    package var udpGSO = OffloadMode.auto
    /// UDP_GRO.
    package var udpGRO = OffloadMode.auto

    package init() {}
}

extension OffloadConfiguration: OptionRecord {
    package init?(_ options: inout OptionReader) {
        tun = options.optional("tun", default: .auto, help: "super-packets and checksums on the TUN device")
        udpGSO = options.optional("udp-gso", default: .auto, help: "runs of datagrams in one send (UDP_SEGMENT)")
        udpGRO = options.optional("udp-gro", default: .auto, help: "runs of datagrams in one receive (UDP_GRO)")
    }
}
