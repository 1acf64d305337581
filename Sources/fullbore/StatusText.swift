import Control
import Glibc

/// A router's status in the look of `wg show`, with names, and its stages below.
struct StatusText {
    let lines: [String]

    init(_ status: RouterStatus, now: Double, style: TextStyle) {
        var lines = ["\(style.title("router")): \(style.name(status.name))"]
        if !status.file.isEmpty { lines.append("  \(style.key("file")): \(status.file)") }
        lines.append("  \(style.key("workers")): \(status.workers), \(style.key("aead")): \(status.aead)")
        for interface in status.interfaces {
            lines.append("")
            lines += Self.interface(interface, style)
            for peer in Self.byHandshake(interface.peers) {
                lines.append("")
                lines += Self.peer(peer, now, style)
            }
        }
        lines.append("")
        for stage in status.stages { lines.append(Self.stage(stage, style)) }
        self.lines = lines
    }

    private static func interface(_ interface: RouterStatus.Interface, _ style: TextStyle) -> [String] {
        var lines = ["\(style.interface("interface")): \(style.interface(interface.name))"]
        lines.append("  \(style.key("public key")): \(interface.publicKey)")
        lines.append("  \(style.key("private key")): (hidden)")
        lines.append("  \(style.key("listening port")): \(interface.listenPort)")
        if interface.fwmark != 0 { lines.append("  \(style.key("fwmark")): 0x\(String(interface.fwmark, radix: 16))") }
        return lines
    }

    private static func peer(_ peer: RouterStatus.Peer, _ now: Double, _ style: TextStyle) -> [String] {
        var lines = ["\(style.peer("peer")): \(style.peer(peer.name))"]
        lines.append("  \(style.key("public key")): \(peer.publicKey)")
        if peer.hasPresharedKey { lines.append("  \(style.key("preshared key")): (hidden)") }
        if let endpoint = peer.endpoint { lines.append("  \(style.key("endpoint")): \(endpoint)") }
        let allowed = peer.allowedIPs.isEmpty ? "(none)" : peer.allowedIPs.joined(separator: ", ")
        lines.append("  \(style.key("allowed ips")): \(allowed)")
        if let handshake = peer.latestHandshake {
            lines.append("  \(style.key("latest handshake")): \(ago(now - Double(handshake)))")
        }
        if peer.received > 0 || peer.sent > 0 {
            lines.append("  \(style.key("transfer")): \(bytes(peer.received)) received, \(bytes(peer.sent)) sent")
        }
        if peer.persistentKeepalive > 0 {
            lines.append("  \(style.key("persistent keepalive")): every \(duration(Int(peer.persistentKeepalive)))")
        }
        return lines
    }

    /// Counters that are zero say nothing to a reader; `--json` has them all.
    private static func stage(_ stage: RouterStatus.Stage, _ style: TextStyle) -> String {
        let counters = stage.counters.filter { $0.value > 0 }.map { "\($0.value) \($0.name)" }
        let drops = stage.drops.filter { $0.value > 0 }.map { "\($0.value) \($0.name)" }
        let dropped = drops.isEmpty ? [] : ["\(style.warning("dropped")): \(drops.joined(separator: ", "))"]
        let parts = counters + dropped
        return
            "\(style.title("stage")) \(style.name(stage.name)): \(parts.isEmpty ? "(idle)" : parts.joined(separator: ", "))"
    }

    /// As `wg show`: whoever was heard last comes first, the others in the order of the file.
    private static func byHandshake(_ peers: [RouterStatus.Peer]) -> [RouterStatus.Peer] {
        peers.enumerated().sorted { a, b in
            let (x, y) = (a.element.latestHandshake ?? 0, b.element.latestHandshake ?? 0)
            return x == y ? a.offset < b.offset : x > y
        }.map(\.element)
    }

    static func ago(_ seconds: Double) -> String {
        if seconds < 0 { return "(system clock wound backward)" }
        let whole = Int(seconds)
        return whole == 0 ? "now" : "\(duration(whole)) ago"
    }

    /// 1 minute, 3 seconds
    static func duration(_ seconds: Int) -> String {
        let units = [("year", 31_536_000), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)]
        var rest = seconds
        var parts: [String] = []
        for (name, size) in units where rest >= size {
            parts.append("\(rest / size) \(name)\(rest / size == 1 ? "" : "s")")
            rest %= size
        }
        return parts.isEmpty ? "0 seconds" : parts.joined(separator: ", ")
    }

    /// 1.45 KiB
    static func bytes(_ count: UInt64) -> String {
        var value = Double(count)
        guard value >= 1024 else { return "\(count) B" }
        var unit = ""
        for name in ["KiB", "MiB", "GiB", "TiB", "PiB"] where value >= 1024 {
            value /= 1024
            unit = name
        }
        let hundredths = Int((value * 100).rounded())
        let fraction = String(hundredths % 100)
        return "\(hundredths / 100).\(fraction.count == 1 ? "0" + fraction : fraction) \(unit)"
    }
}

/// Colours as `wg show` has them, on a terminal only.
struct TextStyle {
    let isColoured: Bool

    /// NO_COLOR, and whatever is not a terminal, get none.
    static var forOutput: TextStyle {
        TextStyle(isColoured: unsafe isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil)
    }

    func title(_ text: String) -> String { wrap(text, "1") }
    func name(_ text: String) -> String { wrap(text, "1") }
    func interface(_ text: String) -> String { wrap(text, "1;32") }
    func peer(_ text: String) -> String { wrap(text, "1;33") }
    func key(_ text: String) -> String { wrap(text, "1") }
    func warning(_ text: String) -> String { wrap(text, "31") }

    private func wrap(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
