/// What the reader of a file must know of a stage: what it declares, and what its options are.
package struct StageSchema: Sendable {
    package let declaration: StageDeclaration
    /// Its options, in the pipeline entry; nil when it takes none.
    package let options: (any OptionRecord.Type)?
    /// Its options for one peer, under the stage's name in the peer; nil when it takes none.
    package let peerOptions: (any OptionRecord.Type)?

    package init(
        _ declaration: StageDeclaration, options: (any OptionRecord.Type)? = nil,
        peerOptions: (any OptionRecord.Type)? = nil
    ) {
        self.declaration = declaration
        self.options = options
        self.peerOptions = peerOptions
    }

    package var name: String { declaration.name }
}

extension OptionRecord {
    /// True when `other` is of the same type and equal: whether a reload changes a stage's options.
    package func isEqual(to other: any OptionRecord) -> Bool { self == (other as? Self) }
}
