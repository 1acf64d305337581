/// A place in a configuration file: line and column, both from 1; a column is a Unicode scalar, not a byte.
package struct SourcePosition: Hashable, Sendable {
    private let lineNumber: UInt32
    private let columnNumber: UInt32

    package init(line: Int, column: Int) {
        lineNumber = UInt32(clamping: line)
        columnNumber = UInt32(clamping: column)
    }

    package var line: Int { Int(lineNumber) }
    package var column: Int { Int(columnNumber) }

    /// Where a file begins.
    package static let start = SourcePosition(line: 1, column: 1)
}

extension SourcePosition: CustomStringConvertible {
    /// As it stands behind a file's name: `31:14`.
    package var description: String { "\(line):\(column)" }
}

extension SourcePosition: Comparable {
    package static func < (a: SourcePosition, b: SourcePosition) -> Bool {
        (a.lineNumber, a.columnNumber) < (b.lineNumber, b.columnNumber)
    }
}
