import Crypto
import Pipeline
import Wire

/// One peer of an interface. An object, because much refers to what a file says of a peer, and there may be very many.
package final class PeerConfiguration: Sendable {
    package let name: Located<String>
    package let publicKey: Located<PublicKey>
    package let presharedKey: Located<KeySource>?
    /// Where it is at first; a name is looked up when the router runs.
    package let endpoint: Located<HostPort>?
    package let allowedIPs: [Located<Prefix>]
    /// Whole seconds, at most 65,535 of them; nil is off.
    package let persistentKeepalive: Interval?
    /// Options of stages for this peer, by the stage's name.
    package let stageOptions: [String: any OptionRecord]

    /// Where it is at first, when that has to be looked up.
    package var namedEndpoint: HostPort? {
        guard let endpoint = endpoint?.value, endpoint.endpoint == nil else { return nil }
        return endpoint
    }

    /// `persistentKeepalive` as the UAPI writes it: 0 is off.
    package var keepaliveSeconds: UInt16 {
        UInt16(clamping: (persistentKeepalive ?? .seconds(0)).nanoseconds / 1_000_000_000)
    }

    package init(
        name: Located<String>, publicKey: Located<PublicKey>, presharedKey: Located<KeySource>? = nil,
        endpoint: Located<HostPort>? = nil, allowedIPs: [Located<Prefix>] = [], persistentKeepalive: Interval? = nil,
        stageOptions: [String: any OptionRecord] = [:]
    ) {
        self.name = name
        self.publicKey = publicKey
        self.presharedKey = presharedKey
        self.endpoint = endpoint
        self.allowedIPs = allowedIPs
        self.persistentKeepalive = persistentKeepalive
        self.stageOptions = stageOptions
    }
}

extension PeerConfiguration: Equatable {
    package static func == (a: PeerConfiguration, b: PeerConfiguration) -> Bool {
        (a.name, a.publicKey, a.presharedKey, a.endpoint) == (b.name, b.publicKey, b.presharedKey, b.endpoint)
            && (a.allowedIPs, a.persistentKeepalive) == (b.allowedIPs, b.persistentKeepalive)
            && a.stageOptions.keys == b.stageOptions.keys
            && a.stageOptions.allSatisfy { areEqual($0.value, b.stageOptions[$0.key]) }
    }
}

extension PublicKey: OptionValue {
    package static var shape: OptionShape {
        .text(
            OptionShape.Text(
                "a public key", pattern: "^[A-Za-z0-9+/]{43}=$",
                examples: ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="]))
    }

    /// Never repeats the text: what is no public key may be a private one in the wrong place.
    package static func read(_ value: Value, _ diagnostics: Diagnostics) -> PublicKey? {
        guard case .scalar(let scalar) = value.content else {
            diagnostics.error("expected a public key, found \(value.found)", at: value.position)
            return nil
        }
        guard let key = PublicKey(base64: scalar.text) else {
            diagnostics.error(
                "this is not a public key: that is 44 characters of base64, as wg prints it", at: value.position)
            return nil
        }
        guard !key.isZero else {
            diagnostics.error("this public key is all zeros, which is nobody's", at: value.position)
            return nil
        }
        return key
    }
}

/// `persistent-keepalive`, in seconds without a unit as everywhere in WireGuard.
struct Keepalive: ScalarOption {
    let seconds: UInt16

    static var expected: String { "seconds from 0 to 65535, or off" }
    static var shape: OptionShape { .either([.whole(0...65535), .words(["off"])], expected: expected) }

    init(_ scalar: Value.Scalar) throws(OptionError) {
        if scalar.text == "off" {
            seconds = 0
        } else if let seconds = try? UInt16(scalar) {
            self.seconds = seconds
        } else {
            throw Self.unexpected(scalar)
        }
    }

    /// nil is off.
    var interval: Interval? { seconds == 0 ? nil : .seconds(UInt64(seconds)) }
}
