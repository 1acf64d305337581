import Wire

extension SetDefinition {
    var typeText: String { key.map(\.rawValue).joined(separator: " . ") }
    var elementTexts: [String] { elements.map(\.text).sorted() }
}

extension [KeyPart] {
    package var text: String { map(\.description).joined(separator: " . ") }
}

extension KeyPart: CustomStringConvertible {
    package var description: String {
        switch self {
        case .interface(let pattern): "\"\(pattern)\""
        case .prefix(let prefix): prefix.elementText
        case .transport(let transport): transport.description
        case .ports(let ports):
            ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
        case .mark(let mark): hexadecimal(mark)
        }
    }
}

extension Prefix {
    /// As nft writes it: a host without its length.
    var elementText: String { length == family.bitWidth ? "\(address)" : description }
}
