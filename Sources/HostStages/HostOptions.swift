import Nftables
import Pipeline

/// The options of a stage that acts in the kernel. It says what it wants to be there; one coordinator makes one table of
/// what all such stages of a router want.
package protocol HostOptions: ContextualOptions {
    /// What the stage wants in the kernel, the whole of it.
    func intent(in context: FileContext) -> HostIntent
    /// Flows that the stage sends elsewhere, and that a filter has to let through.
    func openings(in context: FileContext) -> [Opening]
}

extension HostOptions {
    package func openings(in context: FileContext) -> [Opening] { [] }
}

extension FileContext {
    /// What the stages of the pipeline have opened.
    package var openings: [Opening] {
        stages.compactMap { $0.options as? any HostOptions }.flatMap { $0.openings(in: self) }
    }
}
