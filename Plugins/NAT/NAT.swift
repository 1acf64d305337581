import Pipeline

/// Rewrites addresses of whole flows, in the kernel: who is outside sees others than who is inside.
package enum NAT {
    package static let declaration = StageDeclaration(
        name: "nat", summary: "masquerades, forwards ports and maps addresses one to one (nftables)", place: .host)

    package static let schema = StageSchema(declaration, options: TranslationOptions.self)
}
