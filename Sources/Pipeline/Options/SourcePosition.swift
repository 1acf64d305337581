/// A place in a configuration file: line and column, both from 1; a column is a Unicode scalar, not a byte.
public struct SourcePosition: Hashable, Sendable {
    private let lineNumber: UInt32
    private let columnNumber: UInt32

    public init(line: Int, column: Int) {
        lineNumber = UInt32(clamping: line)
        columnNumber = UInt32(clamping: column)
    }

    public var line: Int { Int(lineNumber) }
    public var column: Int { Int(columnNumber) }

    /// Where a file begins.
    public static let start = SourcePosition(line: 1, column: 1)
}

extension SourcePosition: CustomStringConvertible {
    /// As it stands behind a file's name: `31:14`.
    public var description: String { "\(line):\(column)" }
}

extension SourcePosition: Comparable {
    public static func < (a: SourcePosition, b: SourcePosition) -> Bool {
        (a.lineNumber, a.columnNumber) < (b.lineNumber, b.columnNumber)
    }
}
