/// How messages repeat what a file says: short, without control characters, and never a secret.
public enum Quotation {
    /// The most characters of a file's text that a message repeats.
    public static let maximumLength = 80
    /// Base64 writes a key in 44 characters; a run this long that no path would be, or all of hexadecimal, may be one.
    static let suspectLength = 40

    /// `text` in quotes, fit to stand in a message; of a longer one the first `limit` characters.
    public static func quote(
        _ text: some StringProtocol, with mark: Character = "'", limit: Int = maximumLength
    ) -> String {
        // Hidden before it is cut, so that no cut makes a key too short to be suspected.
        let start = text.unicodeScalars.prefix(limit + 2 * suspectLength)
        let shown = clean(String(String.UnicodeScalarView(start))).unicodeScalars
        let cut = shown.count > limit ? String(shown.prefix(limit)) + "…" : String(shown)
        return "\(mark)\(cut)\(mark)"
    }

    /// `line` with as many characters as before, each control character and each character of a possible secret
    /// replaced.
    public static func clean(_ line: String) -> String {
        var scalars = line.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }
        hideKeys(&scalars)
        hideSecretValues(&scalars)
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control: scalar != "\t"
        case .format, .lineSeparator, .paragraphSeparator: true  // bidirectional overrides reorder what is read
        default: false
        }
    }

    /// Hides every run that looks like a key in base64 or hexadecimal. A public key looks the same, and is hidden too.
    private static func hideKeys(_ scalars: inout [Unicode.Scalar]) {
        var start = 0
        while start < scalars.count {
            let end = scalars[start...].firstIndex { !isBase64($0) } ?? scalars.count
            if isSuspect(scalars[start..<end]) { hide(&scalars, start..<end) }
            start = end + 1
        }
    }

    private static func isBase64(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "A"..."Z", "a"..."z", "0"..."9", "+", "/", "=": true
        default: false
        }
    }

    private static func isSuspect(_ run: ArraySlice<Unicode.Scalar>) -> Bool {
        guard run.count >= suspectLength else { return false }
        return run.contains { ("A"..."Z").contains($0) || $0 == "=" || $0 == "+" }
            || run.allSatisfy { $0.properties.isASCIIHexDigit }
    }

    /// Hides what follows `private-key:` and its like, unless that is the mapping it has to be.
    private static func hideSecretValues(_ scalars: inout [Unicode.Scalar]) {
        let lowered = scalars.map { ("A"..."Z").contains($0) ? Unicode.Scalar(UInt8($0.value) + 32) : $0 }
        for word in secretWords {
            var from = 0
            while let found = firstRange(of: word, in: lowered, from: from) {
                from = found.upperBound
                guard let value = valueStart(in: lowered, after: found.upperBound) else { continue }
                let end = scalars[value...].firstIndex { $0 == "," || $0 == "}" } ?? scalars.count
                hide(&scalars, value..<end)
            }
        }
    }

    private static let secretWords: [[Unicode.Scalar]] = ["priv", "preshared", "psk", "secret"].map {
        Array($0.unicodeScalars)
    }

    private static func firstRange(
        of word: [Unicode.Scalar], in line: [Unicode.Scalar], from: Int
    ) -> Range<Int>? {
        guard line.count >= from + word.count else { return nil }
        return (from...(line.count - word.count)).first { line[$0..<($0 + word.count)].elementsEqual(word) }
            .map { $0..<($0 + word.count) }
    }

    /// Where the value begins of a key whose name runs on at `index`; nil when there is none to hide.
    private static func valueStart(in line: [Unicode.Scalar], after index: Int) -> Int? {
        var index = index
        while index < line.count, line[index].properties.isAlphabetic || "-_\"'".unicodeScalars.contains(line[index]) {
            index += 1
        }
        while index < line.count, line[index] == " " { index += 1 }
        guard index < line.count, line[index] == ":" || line[index] == "=" else { return nil }
        index += 1
        while index < line.count, line[index] == " " { index += 1 }
        return index < line.count && line[index] != "{" ? index : nil
    }

    private static func hide(_ scalars: inout [Unicode.Scalar], _ range: Range<Int>) {
        for index in range { scalars[index] = "*" }
    }
}
