import Wire

/// Prefixes of one family, ascending; one that lies within another is left out, as the kernel wants it.
package struct PrefixSet: Hashable, Sendable {
    package let family: IPAddress.Family
    package let prefixes: [Prefix]

    /// Those of the `prefixes` that are of the family.
    package init(_ family: IPAddress.Family, _ prefixes: some Sequence<Prefix>) {
        self.family = family
        var disjoint: [Prefix] = []
        let ascending = prefixes.filter { $0.family == family }.sorted {
            ($0.address.high, $0.address.low, $0.length) < ($1.address.high, $1.address.low, $1.length)
        }
        for prefix in ascending where disjoint.last?.contains(prefix) != true { disjoint.append(prefix) }
        self.prefixes = disjoint
    }

    package func contains(_ address: IPAddress) -> Bool { prefixes.contains { $0.contains(address) } }
}
