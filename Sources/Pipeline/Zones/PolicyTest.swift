import Wire

/// An expectation of the file's `tests`: what becomes of the first packet of a flow.
public struct PolicyTest: OptionRecord {
    public enum Expectation: String, OptionChoice {
        case allow
        /// Dropped or rejected.
        case deny
    }

    public let expect: Expectation
    public let from: Located<TestEnd>
    public let to: Located<TestEnd>
    /// nil: whatever the protocol.
    public let port: Located<ServicePorts>?

    public init?(_ options: inout OptionReader) {
        let expect = options.require("expect", as: Expectation.self, help: "what becomes of the flow's first packet")
        let from = options.require("from", as: Located<TestEnd>.self, help: "where the flow begins")
        let to = options.require("to", as: Located<TestEnd>.self, help: "where it goes")
        port = options.optional(
            "port", as: Located<ServicePorts>.self, help: "its protocol and port; whichever where this is left out")
        if let port, let range = port.value.ports.first, port.value.ports.count > 1 || range.count > 1 {
            options.error("a test is about one port", at: "port")
        }
        guard let expect, let from, let to else { return nil }
        (self.expect, self.from, self.to) = (expect, from, to)
    }
}

/// One end of a test's flow: `lan`, `10.0.10.5`, `vpn:10.80.0.9`, a peer, `self`.
public struct TestEnd: ScalarOption, Hashable {
    /// nil where only an address is given.
    public let place: PlaceText?
    public let address: IPAddress?

    public static var expected: String { "a zone, a peer, self, an address, or both as in vpn:10.80.0.9" }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        let text = scalar.text
        if let address = IPAddress(text) {
            (place, self.address) = (nil, address)
            return
        }
        guard !text.isEmpty, Prefix(text) == nil else { throw Self.unexpected(scalar) }
        guard let colon = text.firstIndex(of: ":") else {
            (place, address) = (PlaceText(text), nil)
            return
        }
        guard let address = IPAddress(text[text.index(after: colon)...]), colon > text.startIndex else {
            throw Self.unexpected(scalar)
        }
        (place, self.address) = (PlaceText(String(text[..<colon])), address)
    }

    public var optionText: String { [place?.text, address?.description].compactMap(\.self).joined(separator: ":") }
}
