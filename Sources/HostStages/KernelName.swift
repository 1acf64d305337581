/// Names for things in the kernel's tables, made of what users call them.
package enum KernelName {
    /// Enough to tell rules apart by eye; the kernel takes 255.
    private static let maximumLength = 80

    /// What a user may call a rule: 1 to 63 letters, digits, `.`, `_` and `-`.
    package static func isName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.unicodeScalars.allSatisfy(isPlain)
    }

    /// Letters, digits, `-`, `_` and `.` of the words, joined by `-`. Where other words could be called the same, or it is too
    /// long, it ends in a number that stands for all of them.
    package static func of(_ words: String...) -> String {
        var name = ""
        for character in words.joined(separator: "-").unicodeScalars {
            if isPlain(character) {
                name.unicodeScalars.append(character)
            } else if !name.hasSuffix("-") {
                name += "-"
            }
        }
        while name.hasSuffix("-") { name.removeLast() }
        let isEvident = words.allSatisfy { $0.unicodeScalars.allSatisfy { isPlain($0) && $0 != "-" } }
        return isEvident && name.utf8.count <= maximumLength
            ? name : "\(name.prefix(maximumLength))-\(digest(words.joined(separator: "\u{1f}")))"
    }

    private static func isPlain(_ character: Unicode.Scalar) -> Bool {
        switch character {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
        default: false
        }
    }

    /// FNV-1a, 32 bits of it: the same in every process.
    private static func digest(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash >> 32 ^ hash & 0xffff_ffff, radix: 16)
    }
}
