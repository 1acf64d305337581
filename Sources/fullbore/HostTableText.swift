import Control

/// The rules of a router with what they have matched, as a table.
struct HostTableText {
    let lines: [String]

    init(_ status: HostTableStatus, style: TextStyle) {
        guard let table = status.table else {
            lines = ["\(style.title("router")): \(style.name(status.router)): no rules in nftables"]
            return
        }
        let packets = status.rules.map { String($0.packets) }
        let bytes = status.rules.map { StatusText.bytes($0.bytes) }
        let width = packets.map(\.count).max() ?? 0
        let byteWidth = bytes.map(\.count).max() ?? 0
        let lineWidth = status.rules.map(\.line.count).max() ?? 0
        var lines = [
            "\(style.title("router")): \(style.name(status.router))",
            "  \(style.key("table")): inet \(table)",
        ]
        var stage = ""
        for (index, rule) in status.rules.enumerated() {
            if rule.stage != stage {
                lines += ["", "\(style.title("stage")) \(style.name(rule.stage)): packets, bytes, line, rule"]
                stage = rule.stage
            }
            let parts = [
                Self.right(packets[index], width), Self.right(bytes[index], byteWidth),
                rule.line + String(repeating: " ", count: lineWidth - rule.line.count), rule.text,
            ]
            lines.append("  " + parts.joined(separator: "  "))
        }
        self.lines = lines
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
