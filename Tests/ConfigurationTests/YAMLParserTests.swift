import Configuration
import Pipeline
import Testing

struct YAMLParserTests {
    private func parse(_ text: String) -> (value: Value?, errors: [String]) { parse(Array(text.utf8)) }

    private func parse(_ bytes: [UInt8]) -> (value: Value?, errors: [String]) {
        let diagnostics = Diagnostics()
        let value = YAMLParser.parse(SourceText(file: "t", bytes: bytes), diagnostics)
        return (value, diagnostics.sorted.map { "\($0.position?.line ?? 0):\($0.position?.column ?? 0) \($0.message)" })
    }

    private func scalar(_ text: String, isPlain: Bool = true) -> Value.Content {
        .scalar(Value.Scalar(text, isPlain: isPlain))
    }

    @Test(arguments: [
        ("no", true), ("on", true), ("22:22", true), ("0123", true), ("'no'", false), ("\"no\"", false),
        ("|\n  no", false),
    ])
    func `a scalar keeps its text, and whether it was quoted`(_ text: String, _ isPlain: Bool) {
        guard case .mapping(let mapping) = parse("k: \(text)\n").value?.content,
            case .scalar(let scalar) = mapping["k"]?.value.content
        else {
            Issue.record("no scalar")
            return
        }
        #expect(scalar.isPlain == isPlain)
        #expect(scalar.text.filter { $0 != "\n" } == text.filter { !"'\"|\n ".contains($0) })
    }

    @Test(arguments: ["", "~", "null", "Null", "NULL"])
    func `nothing is nothing only when it is plain`(_ text: String) {
        guard case .mapping(let mapping) = parse("k: \(text)\n").value?.content else {
            Issue.record("no mapping")
            return
        }
        #expect(mapping["k"]?.value.content == .null)
        #expect(parse("'\(text)'\n").value?.content == scalar(text, isPlain: false))
    }

    @Test func `positions are lines and columns from 1, in characters`() {
        guard case .mapping(let mapping) = parse("a: 1\n\"ü🦊\": [x, {y: z}]\n").value?.content,
            let entry = mapping["ü🦊"], case .sequence(let values) = entry.value.content
        else {
            Issue.record("no mapping")
            return
        }
        #expect(entry.key.position == SourcePosition(line: 2, column: 1))
        #expect(entry.value.position == SourcePosition(line: 2, column: 7))
        #expect(values.map(\.position.column) == [8, 11])
    }

    @Test func `a byte order mark is no part of the text`() {
        let (value, errors) = parse([0xef, 0xbb, 0xbf] + Array("a: 1\n".utf8))
        #expect(value?.position == .start)
        #expect(errors.isEmpty)
    }

    @Test(
        arguments: [
            ([0x61, 0x3a, 0x20, 0xff], "1:4 this is not UTF-8"),
            ([0xff, 0xfe, 0x61, 0x00], "1:1 this is not UTF-8"),
            (Array("ü: x\nü\u{e9}: ".utf8) + [0xc3], "2:5 this is not UTF-8"),
            ([0x61, 0x00], "1:2 a control character cannot stand in a file"),
            ([0x61, 0x3a, 0x20, 0xed, 0xa0, 0x80], "1:4 this is not UTF-8"),
        ] as [([UInt8], String)])
    func `bytes that are not UTF-8 are an error at the first of them`(_ bytes: [UInt8], _ error: String) {
        #expect(parse(bytes).errors == [error])
    }

    @Test func `what is missing at the end of a file is missed there`() {
        let report = Fixtures.report("fullbore: 1\ninterfaces: { wg0: { x: [")
        #expect(
            report == """
                router.yaml:2:26: expected a value
                interfaces: { wg0: { x: [
                                         ^
                """)
    }

    // MARK: Bounds

    @Test func `a billion laughs are refused without being laughed`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let alias = "*a\(level - 1)"
            text += "a\(level): &a\(level) [\(Array(repeating: alias, count: 10).joined(separator: ", "))]\n"
        }
        let errors = parse(text).errors
        #expect(errors.count == 1)
        #expect(errors[0].contains("the file has more than 4194304 values, what its aliases stand for included"))
    }

    /// S-15.
    @Test func `nesting is bounded`() {
        let depth = YAMLParser.maximumDepth
        func nested(_ count: Int) -> String {
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        #expect(parse(nested(depth)).errors.isEmpty)
        #expect(parse(nested(depth + 1)).errors == ["1:\(depth + 1) nested deeper than 32 levels"])
        #expect(parse(String(repeating: "[", count: 1 << 20)).errors == ["1:\(depth + 1) nested deeper than 32 levels"])
        #expect(parse(String(repeating: "{a: ", count: 1 << 18)).errors.count == 1)
        #expect(parse(String(repeating: "- ", count: 1 << 18) + "x").errors.count == 1)
    }

    @Test func `nesting is bounded through aliases too`() {
        let chain = (1...YAMLParser.maximumDepth).map { "- &a\($0) [*a\($0 - 1)]\n" }.joined()
        let errors = parse("- &a0 []\n" + chain).errors
        #expect(errors.count == 1)
        #expect(errors[0].hasSuffix("nested deeper than 32 levels"))
    }

    @Test func `size is bounded`() {
        let large = [UInt8](repeating: UInt8(ascii: "#"), count: YAMLParser.maximumSize + 1)
        #expect(parse(large).errors == ["1:1 the file is larger than 64 MiB"])
    }

    @Test func `of very many errors the first are kept and the others counted`() {
        let text = (0..<3000).map { "k\($0): 1\n" }.joined()
        let diagnostics = Diagnostics()
        let value = YAMLParser.parse(SourceText(file: "t", bytes: Array(text.utf8)), diagnostics)
        var options = value.flatMap { OptionReader($0, diagnostics) }
        options?.finish()
        #expect(diagnostics.sorted.count == Diagnostics.maximumCount)
        #expect(diagnostics.omitted == 2000)
        let report = ConfigurationReport(SourceText(file: "t", bytes: Array(text.utf8)), diagnostics).description
        #expect(report.hasSuffix("\nt: and 2000 more"))
    }
}
