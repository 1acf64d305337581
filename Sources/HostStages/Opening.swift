import Pipeline
import Wire

/// Flows to this host that are sent on to another one.
package struct Opening: Sendable, Equatable {
    /// Where such flows come from.
    package let from: [Place]
    /// Whether they may come from anywhere else as well, where they are meant for an address that `from` sees.
    package let isReflected: Bool
    /// What they ask this host for.
    package let service: ServicePorts
    package let target: IPAddress
    package let targetPorts: [ClosedRange<UInt16>]
    /// The counter of the filter's rule.
    package let counter: String
    package let position: SourcePosition

    package init(
        from: [Place], isReflected: Bool, service: ServicePorts, target: IPAddress,
        targetPorts: [ClosedRange<UInt16>], counter: String, position: SourcePosition
    ) {
        self.from = from
        self.isReflected = isReflected
        self.service = service
        self.target = target
        self.targetPorts = targetPorts
        self.counter = counter
        self.position = position
    }
}
