/// Lays JSON out for people.
enum JSONLayout {
    /// `text`, which is JSON in one line, with a line for each key and each element.
    static func indented(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(2 * text.count)
        var depth = 0
        var isInText = false
        var isEscaped = false
        var opened = false
        for byte in text {
            if isInText {
                result.append(byte)
                (isInText, isEscaped) = (
                    isEscaped || byte != UInt8(ascii: "\""), !isEscaped && byte == UInt8(ascii: "\\")
                )
                continue
            }
            let closes = byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
            if closes { depth -= 1 }
            // Nothing stands between the brackets of what is empty.
            if opened != closes { breakLine(&result, depth) }
            opened = byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
            if opened { depth += 1 }
            result.append(byte)
            switch byte {
            case UInt8(ascii: "\""): isInText = true
            case UInt8(ascii: ":"): result.append(UInt8(ascii: " "))
            case UInt8(ascii: ","): breakLine(&result, depth)
            default: break
            }
        }
        return result
    }

    private static func breakLine(_ result: inout [UInt8], _ depth: Int) {
        result.append(UInt8(ascii: "\n"))
        for _ in 0..<2 * depth { result.append(UInt8(ascii: " ")) }
    }
}
