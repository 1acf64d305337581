/// Text as nft writes it between quotation marks, for which it knows no escape.
struct QuotedText: CustomStringConvertible {
    /// NFTNL_UDATA_COMMENT_MAXLEN without its zero: what nft itself takes for a comment.
    static let commentLimit = 127

    /// Without quotation marks or control characters, at most so many bytes, whole characters.
    let text: String

    init(_ text: String, limit: Int) {
        var kept = ""
        for character in text {
            let isControl = character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
            let next: Character = character == "\"" ? "'" : isControl ? " " : character
            guard kept.utf8.count + next.utf8.count <= limit else { break }
            kept.append(next)
        }
        self.text = kept
    }

    var description: String { "\"\(text)\"" }
}

/// A number as nft writes a mark.
func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}

/// One value as it is, several in braces.
func alternatives(_ values: [String]) -> String {
    values.count == 1 ? values[0] : "{ \(values.joined(separator: ", ")) }"
}
