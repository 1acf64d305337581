import Configuration
import Pipeline

/// What of a file is settled when a router starts, and what would have to change of it.
enum RestartReasons {
    /// One sentence each, with the line of `next` where there is one; empty when a running router can become what `next`
    /// says.
    static func between(_ current: RouterConfiguration, and next: LoadedConfiguration) -> [String] {
        let (file, next) = (next.source.file, next.configuration)
        var reasons: [String] = []
        if next.name != current.name {
            reasons.append("\(file): the name changes from \(current.name) to \(next.name)")
        }
        if next.runtime != current.runtime { reasons.append("\(file): 'runtime' changes") }
        return reasons
    }
}
