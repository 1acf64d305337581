import Pipeline
import Wire

extension CrossChecks {
    /// A peer's endpoint that is an address, on an interface that makes routes of its peers' prefixes.
    struct RoutedEndpoint {
        let endpoint: Located<HostPort>
        let address: IPAddress
        let peer: String
        let interface: String
    }

    mutating func note(_ endpoint: RoutedEndpoint) { endpoints.append(endpoint) }

    /// An endpoint that the routes of this file lead into its own tunnel: nothing would ever arrive. A default route does
    /// not count, because it goes by a rule that the tunnel's own datagrams are exempt from; nor does another peer's
    /// prefix, through which the endpoint may well be reached.
    func findLoops() {
        let lengths = Set(claims.keys.compactMap { $0.routedLength }).filter { $0 > 0 }.sorted(by: >)
        for endpoint in endpoints {
            let ways = lengths.lazy.compactMap { length -> Claim? in
                guard length <= endpoint.address.family.bitWidth,
                    let prefix = Prefix(endpoint.address, length: length)
                else { return nil }
                return claims[.route(prefix)]?.min { $0.rank < $1.rank }
            }
            guard let way = ways.first, way.peer == endpoint.peer, way.interface == endpoint.interface else { continue }
            let line = way.prefix.position.line
            if way.prefix.value.length == endpoint.address.family.bitWidth {
                diagnostics.error(
                    "the route to \(way.prefix.value) on line \(line) leads into the tunnel of peer \(quote(endpoint.peer)), "
                        + "whose endpoint this is", at: endpoint.endpoint.position)
            } else {
                diagnostics.warning(
                    "unless the host has a better route, the one to \(way.prefix.value) on line \(line) leads into the "
                        + "tunnel of peer \(quote(endpoint.peer)), whose endpoint this is",
                    at: endpoint.endpoint.position)
            }
        }
    }
}
