import Pipeline
import Testing
import Wire

struct OptionsReaderTests {
    private let diagnostics = Diagnostics()

    /// A reader of a mapping whose values stand on a line each, after their keys.
    private func reader(_ entries: KeyValuePairs<String, Value.Content>) -> OptionReader {
        let mapping = entries.enumerated().map { index, entry in
            Value.Mapping.Entry(
                Located(entry.key, at: SourcePosition(line: index + 1, column: 1)),
                Value(entry.value, at: SourcePosition(line: index + 1, column: 10)))
        }
        return OptionReader(Value.Mapping(mapping), at: .start, of: "peer 'berlin'", diagnostics)
    }

    private func text(_ text: String) -> Value.Content { .scalar(.init(text)) }

    private var errors: [String] {
        diagnostics.sorted.map { "\($0.position?.line ?? 0):\($0.position?.column ?? 0) \($0.message)" }
    }

    @Test func `what is there is read, and what is left out has its default`() {
        var options = reader(["down": text("100mbit"), "depth": text("7")])
        #expect(options.require("down", as: BitRate.self) == BitRate(bitsPerSecond: 100_000_000))
        #expect(options.optional("depth", as: Int.self) == 7)
        #expect(options.optional("up", as: BitRate.self) == nil)
        #expect(options.optional("burst", default: ByteCount(5)) == ByteCount(5))
        options.finish()
        #expect(errors.isEmpty && !diagnostics.hasErrors)
    }

    @Test func `a missing key is told at the mapping, a wrong value where it stands`() {
        var options = reader(["down": text("fast")])
        #expect(options.require("down", as: BitRate.self) == nil)
        #expect(options.require("up", as: BitRate.self) == nil)
        options.finish()
        #expect(
            errors == ["1:1 'up' is missing in peer 'berlin'", "1:10 expected a rate such as 100mbit, found 'fast'"])
        #expect(diagnostics.hasErrors)
    }

    @Test func `a key without a value is neither missing nor unknown`() {
        var options = reader(["down": .null, "up": .null])
        #expect(options.require("down", as: Int.self) == nil)
        #expect(options.optional("up", default: 3) == 3)
        options.finish()
        #expect(
            errors == [
                "1:1 'down' has no value: give it one, or leave it out",
                "2:1 'up' has no value: give it one, or leave it out",
            ])
    }

    @Test func `a range is of the value's own kind and in its own words`() {
        var options = reader(["depth": text("9"), "wait": text("2m"), "rate": text("1mbit")])
        #expect(options.require("depth", as: Int.self, in: 1...8) == nil)
        #expect(
            options.optional("wait", default: Interval.seconds(1), in: .milliseconds(1) ... .seconds(60)) == .seconds(1)
        )
        #expect(
            options.optional(
                "rate", as: BitRate.self, in: BitRate(bitsPerSecond: 1)...BitRate(bitsPerSecond: 1_000_000)) != nil)
        #expect(errors == ["1:10 9 is out of range: expected 1 to 8", "2:10 2m is out of range: expected 1ms to 1m"])
    }

    @Test func `unknown keys are told with what was meant, or with what there is`() {
        var options = reader(["dwon": text("1"), "colour": text("1"), "DOWN": text("1")])
        _ = options.optional("down", as: Int.self)
        _ = options.optional("up", as: Int.self)
        options.finish()
        #expect(
            errors == [
                "1:1 unknown key 'dwon' (did you mean 'down'?)", "2:1 unknown key 'colour': known here are down, up",
                "3:1 unknown key 'DOWN' (did you mean 'down'?)",
            ])
    }

    @Test func `a key that is refused says why, and is suggested to who misspells it`() {
        var options = reader(["zones": text("x"), "zone": text("x"), "down": text("1")])
        _ = options.optional("down", as: Int.self)
        options.refuse("zones", "'zones' is not supported yet")
        options.refuse("down", "never told: it was asked for")
        options.finish()
        #expect(errors == ["1:1 'zones' is not supported yet", "2:1 unknown key 'zone' (did you mean 'zones'?)"])
    }

    private struct Limits: OptionRecord {
        let down: Int
        init?(_ options: inout OptionReader) {
            guard let down = options.require("down", as: Int.self) else { return nil }
            self.down = down
        }
    }

    @Test func `a mapping within a mapping finishes itself`() {
        let inner = Value.Mapping([
            .init(
                Located("down", at: SourcePosition(line: 5, column: 1)),
                Value(text("3"), at: SourcePosition(line: 5, column: 7))),
            .init(
                Located("uo", at: SourcePosition(line: 6, column: 1)),
                Value(text("3"), at: SourcePosition(line: 6, column: 7))),
        ])
        var options = reader(["limits": .mapping(inner), "other": text("x")])
        #expect(options.optional("limits", as: Limits.self)?.down == 3)
        #expect(options.optional("other", as: Limits.self) == nil)
        options.finish()
        #expect(errors == ["2:10 expected a mapping, found 'x'", "6:1 unknown key 'uo': known here are down"])
    }

    @Test func `the same said of the same place is said once`() {
        diagnostics.error("twice", at: .start)
        diagnostics.error("twice", at: .start)
        diagnostics.error("twice", at: SourcePosition(line: 1, column: 2))
        #expect(errors == ["1:1 twice", "1:2 twice"])
    }
}

struct OptionsSuggestionTests {
    @Test(
        arguments: [
            ("alowed-ips", "allowed-ips"), ("allowed_ips", "allowed-ips"), ("AllowedIPs", "allowed-ips"),
            ("allowedips", "allowed-ips"),
            ("dwon", "down"), ("don", "down"), ("dow", "down"), ("up", "up"), ("u", "up"), ("x", nil), ("", nil),
            ("persistant-keepalive", "persistent-keepalive"), ("endpiont", "endpoint"),
        ] as [(String, String?)])
    func `the nearest is suggested, and nothing when none is near`(_ word: String, _ meant: String?) {
        let known = ["allowed-ips", "endpoint", "persistent-keepalive", "down", "up"]
        #expect(Suggestion.nearest(to: word, among: known) == meant)
    }

    @Test func `a very long word costs nothing`() {
        #expect(Suggestion.nearest(to: String(repeating: "a", count: 10_000_000), among: ["allowed-ips"]) == nil)
    }
}

struct OptionsQuotationTests {
    private static let key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="

    @Test(arguments: [
        ("private-key: \(key)", "private-key: \(String(repeating: "*", count: 44))"),
        ("  x: \"\(key)\" # why", "  x: \"\(String(repeating: "*", count: 44))\" # why"),
        ("x: \(key.dropLast())", "x: \(String(repeating: "*", count: 43))"),
        ("x: \(String(repeating: "0f", count: 32))", "x: \(String(repeating: "*", count: 64))"),
        ("PrivateKey = abc", "PrivateKey = ***"), ("preshared-key: short, b: c }", "preshared-key: *****, b: c }"),
        ("\"private-key\": short", "\"private-key\": *****"), ("private-key : short", "private-key : *****"),
        ("private-key: { file: /etc/fullbore/wg0.key }", "private-key: { file: /etc/fullbore/wg0.key }"),
        ("private-key:", "private-key:"), ("# nothing secret here", "# nothing secret here"),
        (
            "file: /etc/fullbore/keys/of/a/deep/folder/without/any/dots",
            "file: /etc/fullbore/keys/of/a/deep/folder/without/any/dots"
        ),
        ("a\u{1b}[31mb\u{7}", "a\u{FFFD}[31mb\u{FFFD}"), ("a\u{202e}b", "a\u{FFFD}b"), ("a\tb", "a\tb"),
    ])
    func `a line is shown without secrets and control characters, and as long as it was`(
        _ line: String, _ shown: String
    ) {
        #expect(Quotation.clean(line) == shown)
        #expect(Quotation.clean(line).unicodeScalars.count == line.unicodeScalars.count)
    }

    @Test func `a quotation is short, and no cut lets a key through`() {
        let long = String(repeating: "x-", count: 100)
        #expect(Quotation.quote(long) == "'\(long.prefix(80))…'")
        for offset in 0..<90 {
            let shown = Quotation.quote(String(repeating: "-", count: offset) + Self.key)
            #expect(!shown.contains("yAnz"))
        }
    }
}
