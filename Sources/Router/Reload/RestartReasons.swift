import Configuration
import Pipeline

/// What of a file is settled when a router starts, and what would have to change of it.
enum RestartReasons {
    /// One sentence each, with the line of `next` where there is one; empty when a running router can become what `next`
    /// says.
    static func between(_ current: RouterConfiguration, and next: LoadedConfiguration) -> [String] {
        let file = next.source.file
        let next = next.configuration
        var reasons: [String] = []
        if next.name != current.name {
            reasons.append("\(file): the name changes from \(current.name) to \(next.name)")
        }
        if next.runtime != current.runtime { reasons.append("\(file): 'runtime' changes") }
        let names = Set(current.interfaces.map(\.name.value))
        for interface in next.interfaces where !names.contains(interface.name.value) {
            reasons.append("\(file):\(interface.name.position): \(interface.name.value) is a new interface")
        }
        let kept = Set(next.interfaces.map(\.name.value))
        for interface in current.interfaces where !kept.contains(interface.name.value) {
            reasons.append("\(file): \(interface.name.value) is not in the file any more")
        }
        return reasons
    }
}
