import Pipeline

/// Decides which flows may begin, in the kernel: between zones, to this host and from it.
package enum Firewall {
    package static let declaration = StageDeclaration(
        name: "firewall", summary: "decides which flows may begin, between zones and to this host (nftables)",
        place: .host)

    package static let schema = StageSchema(declaration, options: FirewallOptions.self)
}
