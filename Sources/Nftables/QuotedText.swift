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

extension QuotedText {
    /// A comment as nft keeps it with a table or a rule (`struct nftnl_udata`): the type 0, which is NFTNL_UDATA_TABLE_COMMENT
    /// and NFTNL_UDATA_RULE_COMMENT, a length with the zero, the text. nil without a text.
    static func userData(comment: String) -> [UInt8]? {
        let text = QuotedText(comment, limit: commentLimit).text
        return text.isEmpty ? nil : [0, UInt8(text.utf8.count + 1)] + Array(text.utf8) + [0]
    }

    /// The first comment in what is kept.
    static func comment(in bytes: [UInt8]) -> String {
        var rest = bytes[...]
        while let type = rest.popFirst(), let length = rest.popFirst() {
            let piece = rest.prefix(Int(length))
            if type == 0 { return String(decoding: piece.prefix { $0 != 0 }, as: UTF8.self) }
            rest = rest.dropFirst(Int(length))
        }
        return ""
    }
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
