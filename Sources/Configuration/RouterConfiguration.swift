import Pipeline

/// What a router file declares, checked and typed. Equal when they declare the same, wherever it stands in the file.
package struct RouterConfiguration: Sendable, Equatable {
    /// The format this build reads: `fullbore: 1`.
    package static let formatVersion = 1
    /// The most interfaces of a file.
    package static let maximumInterfaces = 256
    /// The most groups of peers.
    package static let maximumGroups = 4096
    /// The most entries of a pipeline.
    package static let maximumStages = 64

    /// The instance's name; it becomes part of paths and of the nftables table's name.
    package var name: String
    /// Top to bottom, an order that can work.
    package var pipeline: [PipelineEntry]
    package var interfaces: [InterfaceConfiguration]
    package var groups: [GroupConfiguration]
    package var runtime: RuntimeConfiguration
    package var forwarding: ForwardingMode
    /// Parts of the network, as stages speak of them.
    package var zones: [Zone]
    /// Expectations that hold.
    package var tests: [Located<PolicyTest>]

    package init(
        name: String, pipeline: [PipelineEntry], interfaces: [InterfaceConfiguration],
        groups: [GroupConfiguration] = [], runtime: RuntimeConfiguration = RuntimeConfiguration(),
        forwarding: ForwardingMode = .auto, zones: [Zone] = [], tests: [Located<PolicyTest>] = []
    ) {
        self.name = name
        self.pipeline = pipeline
        self.interfaces = interfaces
        self.groups = groups
        self.runtime = runtime
        self.forwarding = forwarding
        self.zones = zones
        self.tests = tests
    }
}

/// One stage of the pipeline.
package struct PipelineEntry: Sendable {
    package var stage: Located<String>
    /// nil for a stage that takes none.
    package var options: (any OptionRecord)?

    package init(stage: Located<String>, options: (any OptionRecord)? = nil) {
        self.stage = stage
        self.options = options
    }
}

extension PipelineEntry: Equatable {
    package static func == (a: PipelineEntry, b: PipelineEntry) -> Bool {
        a.stage == b.stage && areEqual(a.options, b.options)
    }
}

/// Whether two records of options are of one type and equal, or both missing.
package func areEqual(_ a: (any OptionRecord)?, _ b: (any OptionRecord)?) -> Bool {
    switch (a, b) {
    case (nil, nil): true
    case (let a?, let b?): a.isEqual(to: b)
    default: false
    }
}

/// What is done about the kernel's forwarding switches.
package enum ForwardingMode: String, OptionChoice {
    /// On for both families while the router runs, and then put back.
    case auto
    /// Left as they are.
    case off
}
