import Crypto
import Glibc
import Linux
import Wire

/// What a client of the UAPI asks for.
package enum UAPIOperation: Sendable {
    case get
    case set(DeviceChange)
    /// It cannot be carried out, whatever the state of the interface; nothing of it is.
    case refused(Errno)
}

/// Takes the UAPI's text apart as it arrives, line by line.
///
/// An operation is `get=1` or `set=1`, lines of `key=value`, and an empty line. After an error the rest of the
/// operation is passed over, so that the next one on the connection begins where it should. Errors are those of P-8.14:
/// EPROTO for a line that is none, EINVAL for a value or a key, ENOMEM for more than the bounds.
package struct UAPIParser: ~Copyable {
    /// The longest line: a key takes 76 characters, an endpoint with the longest scope some 80.
    package static let lineBound = 1024
    /// The most peers and the most allowed IPs of one operation: enough for all that an interface may have (P-8.15).
    package static let peerBound = 1 << 20
    package static let allowedIPBound = 1 << 22

    private enum Phase {
        case idle, get, set
        /// An operation that cannot be: the rest of it is read and forgotten.
        case refused(Errno)
    }

    private var phase = Phase.idle
    private var change = DeviceChange()
    private var allowedIPs = 0
    /// The part of a line that has come so far.
    private var partial = WipedBytes(capacity: lineBound)
    /// The line that comes is too long and is not kept.
    private var isOverlong = false
    private let values: UAPIValues

    /// `scope` gives the number of the interface that a link-local endpoint names.
    package init(scope: @escaping @Sendable (String) -> UInt32? = UAPIValues.systemScope) {
        values = UAPIValues(scope: scope)
    }

    /// Whether nothing has been begun that is not ended.
    package var isIdle: Bool {
        if case .idle = phase { partial.count == 0 && !isOverlong } else { false }
    }

    /// Takes the next bytes of the connection, and hands over each operation that they complete.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, _ completed: (UAPIOperation) -> Void) {
        var rest = unsafe bytes
        while let end = unsafe rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = unsafe UnsafeRawBufferPointer(rebasing: rest[..<end])
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
            let operation = unsafe take(lineEnding: line)
            if let operation { completed(operation) }
        }
        if !isOverlong { isOverlong = unsafe !partial.append(rest) }
    }

    /// The connection ends here. What was begun and not ended was not said to be all: it is refused.
    package mutating func finish() -> UAPIOperation? {
        defer { reset() }
        guard !isIdle else { return nil }
        return .refused(Errno(EPROTO))
    }

    /// The operations in `bytes`, which are all of a connection.
    package static func operations(in bytes: [UInt8]) -> [UAPIOperation] {
        var parser = UAPIParser()
        var operations: [UAPIOperation] = []
        unsafe bytes.withUnsafeBytes { unsafe parser.feed($0) { operations.append($0) } }
        if let last = parser.finish() { operations.append(last) }
        return operations
    }

    // MARK: Lines

    private mutating func take(lineEnding bytes: UnsafeRawBufferPointer) -> UAPIOperation? {
        defer {
            partial.wipe()
            isOverlong = false
        }
        if partial.count > 0 {
            guard !isOverlong, unsafe partial.append(bytes) else { return refuse(Errno(EINVAL)) }
            // Out of the way while it is lent: taking a line does not touch it.
            let whole = exchange(&partial, with: WipedBytes(capacity: Self.lineBound))
            return whole.withBytes { unsafe take(UAPILine($0)) }
        }
        guard !isOverlong, bytes.count <= Self.lineBound else { return refuse(Errno(EINVAL)) }
        return unsafe take(UAPILine(bytes))
    }

    private mutating func refuse(_ error: Errno) -> UAPIOperation? {
        reset()
        phase = .refused(error)
        return nil
    }

    private mutating func reset() {
        phase = .idle
        change = DeviceChange()
        allowedIPs = 0
        partial.wipe()
        isOverlong = false
    }

    private mutating func take(_ line: UAPILine) -> UAPIOperation? {
        guard !line.isEmpty else { return end() }
        guard let (key, value) = line.assignment else {
            if case .refused = phase { return nil }
            return refuse(Errno(EPROTO))
        }
        do throws(Errno) {
            switch phase {
            case .idle: try begin(key, value)
            case .get: throw Errno(EINVAL)
            case .set:
                if change.peers.isEmpty || key == "public_key" {
                    try takeDevice(key, value)
                } else {
                    try takePeer(key, value)
                }
            case .refused: break
            }
            return nil
        } catch {
            return refuse(error)
        }
    }

    private mutating func begin(_ key: String, _ value: UAPILine) throws(Errno) {
        switch (key, value.isOne) {
        case ("get", true): phase = .get
        case ("set", true): phase = .set
        default: throw Errno(EINVAL)
        }
    }

    /// An empty line: the operation is complete. Between two operations it means nothing.
    private mutating func end() -> UAPIOperation? {
        defer { reset() }
        switch phase {
        case .idle: return nil
        case .get: return .get
        case .set: return .set(change)
        case .refused(let error): return .refused(error)
        }
    }

    // MARK: Keys

    private mutating func takeDevice(_ key: String, _ value: UAPILine) throws(Errno) {
        switch key {
        case "private_key": change.privateKey = try values.privateKey(value)
        case "listen_port": change.listenPort = try values.number(value)
        case "fwmark": change.fwmark = try values.number(value)
        case "replace_peers":
            try values.requireTrue(value)
            change.replacesPeers = true
        case "public_key":
            guard change.peers.count < Self.peerBound else { throw Errno(ENOMEM) }
            change.peers.append(PeerChange(try values.publicKey(value)))
        default: throw Errno(EINVAL)
        }
    }

    private mutating func takePeer(_ key: String, _ value: UAPILine) throws(Errno) {
        let last = change.peers.count - 1
        switch key {
        case "remove":
            try values.requireTrue(value)
            change.peers[last].isRemoval = true
        case "update_only":
            try values.requireTrue(value)
            change.peers[last].isUpdateOnly = true
        case "preshared_key": change.peers[last].presharedKey = try values.presharedKey(value)
        case "endpoint": change.peers[last].endpoint = try values.endpoint(value)
        case "persistent_keepalive_interval": change.peers[last].persistentKeepalive = try values.number(value)
        case "protocol_version": try values.requireVersion(value)
        case "replace_allowed_ips":
            try values.requireTrue(value)
            change.peers[last].replacesAllowedIPs = true
            change.peers[last].allowedIPs.removeAll()
        case "allowed_ip":
            guard allowedIPs < Self.allowedIPBound else { throw Errno(ENOMEM) }
            allowedIPs += 1
            change.peers[last].allowedIPs.append(try values.allowedIP(value))
        default: throw Errno(EINVAL)
        }
    }
}
