import Wire

extension Statement: CustomStringConvertible {
    /// In nft's syntax.
    package var description: String {
        switch self {
        case .counter(let name): "counter name \"\(name)\""
        case .log(let log): log.description
        case .verdict(let verdict): verdict.description
        case .reject(.tcpReset): "reject with tcp reset"
        case .reject(.unreachable(let kind)): "reject with icmpx \(kind)"
        case .masquerade(let options): "masquerade\(options.suffix)"
        case .sourceNAT(let target): "snat \(target)"
        case .destinationNAT(let target): "dnat \(target)"
        case .redirect(let port): "redirect\(port.map { " to :\($0)" } ?? "")"
        case .clampMSS: "tcp option maxseg size set rt mtu"
        case .setMark(let value, let mask): "meta mark set \(Self.replacing("meta mark", value, mask))"
        case .setConnectionMark(let value, let mask): "ct mark set \(Self.replacing("ct mark", value, mask))"
        case .restoreMark(let mask): "meta mark set \(Self.masking("ct mark", mask))"
        case .saveMark(let mask): "ct mark set \(Self.masking("meta mark", mask))"
        case .doNotTrack: "notrack"
        }
    }

    private static func replacing(_ what: String, _ value: UInt32, _ mask: UInt32) -> String {
        mask == .max ? hexadecimal(value) : "\(what) & \(hexadecimal(~mask)) | \(hexadecimal(value & mask))"
    }

    private static func masking(_ what: String, _ mask: UInt32) -> String {
        mask == .max ? what : "\(what) & \(hexadecimal(mask))"
    }
}

extension Verdict: CustomStringConvertible {
    package var description: String {
        switch self {
        case .accept: "accept"
        case .drop: "drop"
        case .return: "return"
        case .continue: "continue"
        case .jump(let chain): "jump \(chain)"
        case .goto(let chain): "goto \(chain)"
        }
    }
}

extension Rejection.Unreachable: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noRoute: "no-route"
        case .port: "port-unreachable"
        case .host: "host-unreachable"
        case .administrativelyProhibited: "admin-prohibited"
        }
    }
}

extension Log: CustomStringConvertible {
    package var description: String {
        (limit.map { "limit rate \($0) " } ?? "")
            + (prefix.isEmpty ? "log" : "log prefix \(QuotedText(prefix, limit: Self.prefixLimit))")
    }
}

extension Rate: CustomStringConvertible {
    package var description: String {
        "\(count)/\(unit)\(burst == Self.defaultBurst ? "" : " burst \(burst) packets")"
    }
}

extension NATTarget: CustomStringConvertible {
    package var description: String {
        let family = family == .v4 ? "ip" : "ip6"
        return switch addresses {
        case .prefix(let prefix): "\(family) prefix to \(prefix)\(options.suffix)"
        case .range(let first, let last): "\(family) to \(text(first, last))\(portText)\(options.suffix)"
        }
    }

    private func text(_ first: IPAddress, _ last: IPAddress) -> String {
        let addresses = first == last ? [first] : [first, last]
        let needsBrackets = family == .v6 && ports != nil
        return addresses.map { needsBrackets ? "[\($0)]" : "\($0)" }.joined(separator: "-")
    }

    private var portText: String { ports.map { ":\(KeyPart.ports($0))" } ?? "" }
}

extension NATOptions {
    fileprivate var suffix: String {
        let all: [(NATOptions, String)] = [
            (.random, "random"), (.fullyRandom, "fully-random"), (.persistent, "persistent"),
        ]
        let names = all.filter { contains($0.0) }.map(\.1)
        return names.isEmpty ? "" : " " + names.joined(separator: ",")
    }
}
