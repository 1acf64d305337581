/// An interface's name, or with a star at its end (`br-*`) all names that begin so.
public struct InterfacePattern: Hashable, Sendable {
    /// IFNAMSIZ, with the zero at the end.
    public static let nameSize = 16

    /// Without the star.
    public let name: String
    public let isPrefix: Bool

    /// nil for what no interface can be called (`dev_valid_name`, net/core/dev.c), for what nft could not read back (a
    /// quotation mark, a star within), and for a star alone.
    public init?(_ text: some StringProtocol) {
        isPrefix = text.hasSuffix("*")
        name = String(isPrefix ? text.dropLast() : text[...])
        let isSpellable = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !Self.forbidden.contains($0) }
        guard isSpellable, (1..<Self.nameSize).contains(name.utf8.count), name != ".", name != ".." else { return nil }
    }

    /// The loopback interface of every network namespace.
    public static let loopback = InterfacePattern(exactly: "lo")

    private init(exactly name: String) { (self.name, isPrefix) = (name, false) }

    private static let forbidden = Array("/:\"*\\".utf8)

    public func contains(_ other: InterfacePattern) -> Bool {
        isPrefix ? other.name.hasPrefix(name) : self == other
    }
}

extension InterfacePattern: CustomStringConvertible {
    public var description: String { isPrefix ? name + "*" : name }
}
