import Pipeline
import Wire

/// Flows to this host that are sent on to another one.
package struct Opening: Sendable, Equatable {
    /// Where such flows come from.
    package let from: [Place]
    /// Whether flows from elsewhere that ask for an address that `from` sees go on too, as far as the rules let them.
    package let isReflected: Bool
    /// The address that is asked; nil where it may be any of this host's.
    package let address: IPAddress?
    /// What they ask this host for.
    package let service: ServicePorts
    package let target: IPAddress
    package let targetPorts: [ClosedRange<UInt16>]
    /// The counter of the filter's rule.
    package let counter: String
    package let position: SourcePosition

    package init(
        from: [Place], isReflected: Bool, address: IPAddress?, service: ServicePorts, target: IPAddress,
        targetPorts: [ClosedRange<UInt16>], counter: String, position: SourcePosition
    ) {
        self.from = from
        self.isReflected = isReflected
        self.address = address
        self.service = service
        self.target = target
        self.targetPorts = targetPorts
        self.counter = counter
        self.position = position
    }
}
