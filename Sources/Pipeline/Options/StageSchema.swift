/// What there is to know of a stage before there is one: what it declares, what its options are, how it is made.
public struct StageSchema: Sendable {
    public let declaration: StageDeclaration
    /// Its options, in the pipeline entry; nil when it takes none.
    public let options: (any OptionRecord.Type)?
    /// Its options for one peer, under the stage's name in the peer; nil when it takes none.
    public let peerOptions: (any OptionRecord.Type)?
    /// Its options for a group of peers, under the stage's name in the group; nil when it takes none.
    public let groupOptions: (any OptionRecord.Type)?
    /// Makes a worker's instance of a plugin; nil for a stage that only the router can make, or that is in the kernel.
    public let make: Factory?

    public typealias Factory = @Sendable (_ options: (any OptionRecord)?, StageEnvironment) -> any Stage

    public init(
        _ declaration: StageDeclaration, options: (any OptionRecord.Type)? = nil,
        peerOptions: (any OptionRecord.Type)? = nil, groupOptions: (any OptionRecord.Type)? = nil, make: Factory? = nil
    ) {
        self.declaration = declaration
        self.options = options
        self.peerOptions = peerOptions
        self.groupOptions = groupOptions
        self.make = make
    }

    public var name: String { declaration.name }
}

extension OptionRecord {
    /// True when `other` is of the same type and equal: whether a reload changes a stage's options.
    public func isEqual(to other: any OptionRecord) -> Bool { self == (other as? Self) }
}
