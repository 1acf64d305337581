import HostStages
import Pipeline
import Wire

/// A service of this host that another one behind it gives.
package struct Forward: OptionRecord {
    package let name: Located<String>?
    package let from: [Located<PlaceText>]
    package let service: Located<ServicePorts>
    package let target: Located<ForwardTarget>
    /// Only what is meant for this address; nil: for any address of this host.
    package let address: Located<IPAddress>?
    /// Whether who is inside may ask the outer address too.
    package let hairpin: Bool

    package init?(_ options: inout OptionReader) {
        name = options.optional("name", help: "what its counter is called")
        let from = options.require("from", as: OneOrMore<Located<PlaceText>>.self, help: "where flows come from")
        let service = options.require(
            "port", as: Located<ServicePorts>.self, help: "the protocol and its ports outside")
        let target = options.require(
            "to", as: Located<ForwardTarget>.self, help: "who gives the service, and its port where that changes")
        address = options.optional("address", help: "the outer address; any of this host's where this is left out")
        hairpin = options.optional("hairpin", default: false, help: "whether who is inside may ask the outer address")
        if let name, !KernelName.isName(name.value) {
            options.error("a forward's name is 1 to 63 letters, digits, '.', '_' and '-'", at: "name")
            return nil
        }
        guard let from, let service, let target else { return nil }
        (self.from, self.service, self.target) = (from.values, service, target)
    }

    /// The ports that flows have once they are forwarded.
    package var targetPorts: [ClosedRange<UInt16>] {
        target.value.port.map { [$0...$0] } ?? service.value.ports
    }

    /// `forward tcp/443 from wan to 10.0.10.5:8443`
    package var text: String {
        let from = from.map(\.value.text).joined(separator: ", ")
        let at = address.map { " at \($0.value)" } ?? ""
        return "forward \(service.value)\(at) from \(from) to \(target.value)\(hairpin ? ", hairpin" : "")"
    }

    package var counter: String { name.map { "forward-\($0.value)" } ?? KernelName.of(text) }
    package var filterCounter: String { "opened-" + counter }
}

/// `10.0.10.5:8443`, `[fd00::5]:443`, or an address alone, which keeps the port.
package struct ForwardTarget: ScalarOption, Hashable, CustomStringConvertible {
    package let address: IPAddress
    package let port: UInt16?

    package static var expected: String {
        "an address, with a port where that changes: 10.0.10.5:8443 or [fd00::5]:443"
    }

    package init(_ scalar: Value.Scalar) throws(OptionError) {
        if let address = IPAddress(scalar.text) {
            (self.address, port) = (address, nil)
            return
        }
        let both = try? HostPort(scalar)
        guard case .address(let address, zone: nil)? = both?.host else { throw Self.unexpected(scalar) }
        (self.address, port) = (address, both?.port)
    }

    package var description: String {
        guard let port else { return "\(address)" }
        return address.family == .v6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}

/// An address, or a prefix whose host bits stay what they are.
package struct NATPrefix: ScalarOption, Hashable, CustomStringConvertible {
    package let prefix: Prefix

    package static var expected: String { "an address or a prefix such as 203.0.113.9 or 203.0.113.0/28" }

    package init(_ scalar: Value.Scalar) throws(OptionError) {
        guard let prefix = Prefix(scalar.text) else { throw Self.unexpected(scalar, Prefix.lengthHint(scalar.text)) }
        self.prefix = prefix
    }

    package var isHost: Bool { prefix.length == prefix.family.bitWidth }
    package var description: String { isHost ? "\(prefix.address)" : "\(prefix)" }
}
