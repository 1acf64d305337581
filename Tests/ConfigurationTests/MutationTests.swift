import Configuration
import Pipeline
import Support
import Testing

/// Files that nobody wrote: reading one never fails otherwise than by an error with a place in the file.
struct MutationTests {
    /// Pieces that YAML or the format gives a meaning to.
    private static let pieces: [[UInt8]] =
        [
            "\n", "  ", "\t", ": ", "- ", "[", "]", "{", "}", ",", "*a", "&a ", "!x ", "\"", "'", "|", ">", "#",
            "---\n", "...\n",
            "%YAML 1.2\n", "<<: ", "? ", "null", "~", "0x", "::", "/0", "99999999999999999999", "\r\n", "\u{85}",
            "\u{2028}",
            "fullbore: 1\n", "standby: 1", "peers: ", "\\x00",
        ].map { Array($0.utf8) } + [[0], [0xff], [0xc3], [0xe2, 0x80], [0xf4, 0x90, 0x80, 0x80]]

    static func mutate(
        _ bytes: [UInt8], _ random: inout SeededGenerator, edits: ClosedRange<Int> = 1...6
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: edits, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes.removeSubrange(place..<end)
            case 1: bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &random)], at: place)
            case 2: if place < bytes.count { bytes[place] = UInt8.random(in: .min ... .max, using: &random) }
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
            case 4: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
            default: bytes.removeLast(Int.random(in: 0...min(bytes.count, 30), using: &random))
            }
        }
        return bytes
    }

    @Test func `a key that stands anywhere in a file is nowhere in the report`() {
        let key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
        let text = Array(Fixtures.router.utf8)
        for place in stride(from: 0, through: text.count, by: 3) {
            let bytes = text[..<place] + Array(key.utf8) + text[place...]
            let report: ConfigurationReport
            switch Fixtures.load(bytes: Array(bytes)) {
            case .success(let loaded): report = loaded.warnings
            case .failure(let thrown): report = thrown
            }
            #expect(!report.description.contains("yAnz5TF"), "at byte \(place)")
        }
    }

    @Test(arguments: 0..<UInt64(8))
    func `a mutated file loads, or has an error with a place in it`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (good, bad) = (0, 0)
        for _ in 0..<500 {
            let bytes = Self.mutate(Array(Fixtures.router.utf8), &random)
            switch Fixtures.load(bytes: bytes) {
            case .success:
                good += 1
            case .failure(let report):
                bad += 1
                let lines =
                    String(decoding: bytes, as: UTF8.self).unicodeScalars.count {
                        "\n\r\u{85}\u{2028}\u{2029}".unicodeScalars.contains($0)
                    } + 1
                #expect(report.diagnostics.contains { $0.severity == .error })
                for diagnostic in report.diagnostics {
                    guard let position = diagnostic.position else {
                        Issue.record("no position: \(diagnostic.message)")
                        continue
                    }
                    #expect((1...lines).contains(position.line), "\(diagnostic.message)")
                    #expect((1...bytes.count + 1).contains(position.column), "\(diagnostic.message)")
                }
                #expect(!report.description.isEmpty)
            }
        }
        // Both happen, or the mutations are not worth their time.
        #expect(good > 5 && bad > 250)
    }
}
