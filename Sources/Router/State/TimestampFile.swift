import Crypto
import Wire
import WireGuard

/// The greatest time stamp taken from each peer, by interface: kept over restarts, so that an initiation that one run has
/// taken cannot be played to the next one, which would answer it and follow it to where it came from (S-20).
///
/// A line a peer: interface, public key, seconds and nanoseconds of the TAI64N stamp as sent. None of it is secret.
struct TimestampFile: KeptFile {
    typealias Stamps = [String: [PublicKey: TAI64N]]

    /// A crash loses the stamps of so long: initiations of that time could be played again. More often would wear out the
    /// flash of small machines.
    static let interval = Interval.seconds(300)
    static let content = "the peers' time stamps"
    static let nothing: Stamps = [:]

    let file: StateFile

    init(stateDirectory: String, router: String) {
        file = StateFile(stateDirectory: stateDirectory, router: router, name: "timestamps")
    }

    func text(of stamps: Stamps) -> String {
        var text = ""
        for (interface, stamps) in stamps.sorted(by: { $0.key < $1.key }) {
            for (key, stamp) in stamps {
                text += "\(interface) \(key.base64) \(stamp.seconds) \(stamp.nanoseconds)\n"
            }
        }
        return text
    }

    func parse(_ bytes: [UInt8]) -> (Stamps, malformed: Int) {
        var stamps: Stamps = [:]
        var malformed = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 4, let key = PublicKey(base64: fields[1]), let seconds = UInt64(fields[2]),
                let nanoseconds = UInt32(fields[3])
            else {
                malformed += 1
                continue
            }
            stamps[fields[0], default: [:]][key] = TAI64N(seconds: seconds, nanoseconds: nanoseconds)
        }
        return (stamps, malformed)
    }
}
