/// Names for things in the kernel's tables, made of what users call them.
package enum KernelName {
    /// Enough to tell rules apart by eye; the kernel takes 255.
    private static let maximumLength = 80

    /// Letters, digits, `-`, `_` and `.` of the words, joined by `-`. What is longer ends in a number that stands for all of it.
    package static func of(_ words: String...) -> String {
        let text = words.joined(separator: "-")
        var name = ""
        for character in text.unicodeScalars {
            switch character {
            case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": name.unicodeScalars.append(character)
            default: if !name.hasSuffix("-") { name += "-" }
            }
        }
        while name.hasSuffix("-") { name.removeLast() }
        // Where characters are gone two texts may have one name.
        let isFaithful = name.utf8.count == text.utf8.count && name.utf8.count <= maximumLength
        return isFaithful ? name : "\(name.prefix(maximumLength))-\(digest(text))"
    }

    /// FNV-1a, 32 bits of it: the same in every process.
    private static func digest(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash >> 32 ^ hash & 0xffff_ffff, radix: 16)
    }
}
