internal import Pipeline

/// A file's name, as its user gave it, and its bytes, for errors that show the line.
package struct SourceText: Sendable {
    package let file: String
    /// Without a byte order mark.
    package let bytes: [UInt8]

    package init(file: String, bytes: [UInt8]) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        self.file = file
        self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
    }

    /// Every line as the bytes it takes, without its break; breaks are those that libyaml counts.
    func lines() -> [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            let length = Self.breakLength(at: index, in: bytes)
            if length > 0 {
                lines.append(start..<index)
                start = index + length
            }
            index += max(1, length)
        }
        lines.append(start..<bytes.count)
        return lines
    }

    /// Behind the last character.
    var end: SourcePosition { Self.position(of: bytes.count, in: bytes) }

    /// What stands at `position`; nil at the end of a line.
    func character(at position: SourcePosition) -> Unicode.Scalar? {
        let lines = lines()
        guard lines.indices.contains(position.line - 1) else { return nil }
        let line = String(decoding: bytes[lines[position.line - 1]], as: UTF8.self)
        return line.unicodeScalars.dropFirst(position.column - 1).first
    }

    /// CR LF, LF, CR, NEL, LS or PS: how many bytes it takes, 0 for anything else.
    private static func breakLength(at index: Int, in bytes: [UInt8]) -> Int {
        func next(_ offset: Int) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }
        switch bytes[index] {
        case 0x0a: return 1
        case 0x0d: return next(1) == 0x0a ? 2 : 1
        case 0xc2: return next(1) == 0x85 ? 2 : 0
        case 0xe2: return next(1) == 0x80 && (next(2) == 0xa8 || next(2) == 0xa9) ? 3 : 0
        default: return 0
        }
    }

    /// The line and column of a byte, which need not be valid UTF-8.
    static func position(of offset: Int, in bytes: [UInt8]) -> SourcePosition {
        let before = Array(bytes.prefix(offset))
        let lines = SourceText(file: "", bytes: before).lines()
        let start = lines.last?.lowerBound ?? 0
        let column = String(decoding: before[start...], as: UTF8.self).unicodeScalars.count + 1
        return SourcePosition(line: lines.count, column: column)
    }

    /// Where the first byte stands that cannot be part of UTF-8; nil when there is none.
    static func firstInvalidUTF8(in bytes: [UInt8]) -> Int? {
        var decoder = UTF8()
        var iterator = CountingIterator(bytes)
        while true {
            let start = iterator.offset
            switch decoder.decode(&iterator) {
            case .scalarValue: continue
            case .emptyInput: return nil
            case .error: return start
            }
        }
    }

    private struct CountingIterator: IteratorProtocol {
        private let bytes: [UInt8]
        private(set) var offset = 0
        init(_ bytes: [UInt8]) { self.bytes = bytes }
        mutating func next() -> UInt8? {
            guard offset < bytes.count else { return nil }
            offset += 1
            return bytes[offset - 1]
        }
    }
}
