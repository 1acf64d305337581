import Pipeline

/// A service as a rule names it: a name, `tcp/8096`, or `any`.
package struct ServiceText: ScalarOption, Hashable {
    static let any = "any"

    package let text: String
    /// nil for a name.
    let ports: ServicePorts?

    package static var expected: String { "a service such as ssh, a protocol with ports such as tcp/8096, or any" }

    package init(_ scalar: Value.Scalar) throws(OptionError) {
        guard !scalar.text.isEmpty else { throw Self.unexpected(scalar) }
        text = scalar.text
        ports = text.contains("/") ? try ServicePorts(scalar) : nil
    }

    package var optionText: String { text }
}

/// The services that a file names itself: `{ jellyfin: tcp/8096, syncthing: [tcp/22000, udp/22000] }`.
package struct ServiceTable: OptionRecord {
    package struct Entry: Sendable, Equatable {
        let name: Located<String>
        let ports: [ServicePorts]
    }

    package let entries: [Entry]

    package init() { entries = [] }

    package static var shape: OptionShape { .names(pattern: "^[^/]+$", OneOrMore<ServicePorts>.shape) }

    package init?(_ options: inout OptionReader) {
        let diagnostics = options.diagnostics
        entries = options.entries().compactMap { entry in
            let name = entry.key
            if name.value == ServiceText.any || name.value.contains("/") {
                diagnostics.error("\(Quotation.quote(name.value)) cannot be a service's name", at: name.position)
            } else if Self.builtIn[name.value] != nil {
                diagnostics.error("\(Quotation.quote(name.value)) is a service already", at: name.position)
            }
            return OneOrMore<ServicePorts>.read(entry.value, diagnostics).map { Entry(name: name, ports: $0.values) }
        }
    }

    /// https is HTTP/3 too; dhcp is that of IPv4 and IPv6, either end; bfd that of one hop and of several (RFC 5881, RFC 5883).
    static let builtIn: [String: [ServicePorts]] = [
        "ssh": [ServicePorts(ServicePorts.tcp, [22...22])],
        "dns": [ServicePorts(ServicePorts.udp, [53...53]), ServicePorts(ServicePorts.tcp, [53...53])],
        "http": [ServicePorts(ServicePorts.tcp, [80...80])],
        "https": [ServicePorts(ServicePorts.tcp, [443...443]), ServicePorts(ServicePorts.udp, [443...443])],
        "icmp": [ServicePorts(ServicePorts.icmp)],
        "dhcp": [ServicePorts(ServicePorts.udp, [67...68, 546...547])],
        "wireguard": [ServicePorts(ServicePorts.udp, [51820...51820])],
        "bgp": [ServicePorts(ServicePorts.tcp, [179...179])],
        "bfd": [ServicePorts(ServicePorts.udp, [3784...3785, 4784...4784])],
        "ospf": [ServicePorts(ServicePorts.ospf)],
    ]

    /// What the texts mean, nil for any; each that means nothing is an error at its place.
    func resolve(_ texts: [Located<ServiceText>], _ diagnostics: Diagnostics) -> [ServicePorts]? {
        var result: [ServicePorts] = []
        var isAny = false
        for text in texts {
            let name = text.value.text
            if name == ServiceText.any {
                isAny = true
            } else if let ports = text.value.ports {
                result.append(ports)
            } else if let ports = entries.first(where: { $0.name.value == name })?.ports ?? Self.builtIn[name] {
                result += ports
            } else {
                let names = entries.map(\.name.value) + Self.builtIn.keys.sorted() + [ServiceText.any]
                let hint = Suggestion.hint(for: name, among: names)
                let known = ": there are \(names.joined(separator: ", "))"
                diagnostics.error(
                    "unknown service \(Quotation.quote(name))\(hint.isEmpty ? known : hint)", at: text.position)
            }
        }
        return isAny ? nil : result
    }
}
