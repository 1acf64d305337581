import Pipeline

/// Gives the tree of a file its types. Goes on after each error, so that one reading finds them all.
struct ConfigurationReader {
    let stages: [StageSchema]
    let diagnostics: Diagnostics
    /// The file's path.
    private let file: String
    var checks: CrossChecks

    /// Sections of the format that this build does not have yet, so that none is taken to be in force.
    private static let laterSections = ["groups", "health", "metrics"]

    init(file: String, stages: [StageSchema], _ diagnostics: Diagnostics) {
        self.file = file
        self.stages = stages
        self.diagnostics = diagnostics
        checks = CrossChecks(diagnostics)
    }

    /// The configuration; nil only together with errors, and of no use when there are any.
    mutating func router(_ root: Value, defaultName: String) -> RouterConfiguration? {
        guard var options = OptionReader(root, of: "the file", diagnostics), isReadable(&options) else { return nil }
        let name = name(&options, defaultName)
        let pipeline = pipeline(&options)
        let interfaces = interfaces(&options, pipeline)
        let runtime = options.optional("runtime", default: RuntimeConfiguration())
        let forwarding = options.optional("forwarding", default: ForwardingMode.auto)
        let (zones, tests) = (zones(&options), tests(&options))
        for section in Self.laterSections { options.refuse(section, "'\(section)' is not supported yet") }
        options.finish()
        checks.finish()
        guard let pipeline else { return nil }
        let configuration = RouterConfiguration(
            name: name, pipeline: pipeline, interfaces: interfaces, runtime: runtime, forwarding: forwarding,
            zones: zones, tests: tests)
        resolve(configuration.context(file: file), pipeline)
        return configuration
    }

    /// Whether this build knows what the keys of this file mean.
    private func isReadable(_ options: inout OptionReader) -> Bool {
        guard !options.has("fleet") else {
            options.refuse("fleet", "this is a fleet file, which is not supported yet")
            return false
        }
        guard options.has("fullbore") else {
            diagnostics.error(
                "'fullbore' is missing: a router file begins with 'fullbore: \(RouterConfiguration.formatVersion)'",
                at: options.position)
            return true
        }
        guard let version = options.require("fullbore", as: Int.self) else { return true }
        guard version == RouterConfiguration.formatVersion else {
            options.error(
                "this build reads format \(RouterConfiguration.formatVersion), not \(version)", at: "fullbore")
            return false
        }
        return true
    }

    private func name(_ options: inout OptionReader, _ defaultName: String) -> String {
        guard let name = options.optional("name", as: String.self) else {
            if !options.has("name"), let problem = Names.problem(withName: defaultName) {
                diagnostics.error(
                    "the file's own name will not do, so it needs a 'name': \(problem)", at: options.position)
            }
            return defaultName
        }
        if let problem = Names.problem(withName: name) { options.error(problem, at: "name") }
        return name
    }
}
