import Pipeline

/// Gives the tree of a file its types. Goes on after each error, so that one reading finds them all.
struct ConfigurationReader {
    let stages: [StageSchema]
    let diagnostics: Diagnostics
    /// The file's path.
    private let file: String
    var checks: CrossChecks
    /// The interfaces that have a peer of each name, whatever else is wrong with it.
    var peerNames: [String: [String]] = [:]

    /// Sections of the format that this build does not have yet, so that none is taken to be in force.
    private static let laterSections = ["health", "metrics"]

    init(file: String, stages: [StageSchema], _ diagnostics: Diagnostics) {
        self.file = file
        self.stages = stages
        self.diagnostics = diagnostics
        checks = CrossChecks(diagnostics)
    }

    /// The configuration; nil only together with errors, and of no use when there are any.
    mutating func router(_ root: Value, defaultName: String) -> RouterConfiguration? {
        guard var options = OptionReader(root, of: "the file", diagnostics) else { return nil }
        return router(&options, defaultName: defaultName)
    }

    mutating func router(_ options: inout OptionReader, defaultName: String) -> RouterConfiguration? {
        guard isReadable(&options) else { return nil }
        let name = name(&options, defaultName)
        let pipeline = pipeline(&options)
        let interfaces = interfaces(&options, pipeline)
        let groups = groups(&options, pipeline)
        let runtime = options.optional(
            "runtime", default: RuntimeConfiguration(), help: "how the program runs, as opposed to what it does")
        let forwarding = options.optional(
            "forwarding", default: ForwardingMode.auto,
            help: "whether the kernel forwards packets while the router runs; off leaves its switches as they are")
        let (zones, tests) = (zones(&options), tests(&options))
        for section in Self.laterSections { options.refuse(section, "'\(section)' is not supported yet") }
        options.finish()
        checks.finish()
        guard let pipeline else { return nil }
        let configuration = RouterConfiguration(
            name: name, pipeline: pipeline, interfaces: interfaces, groups: groups, runtime: runtime,
            forwarding: forwarding, zones: zones, tests: tests)
        resolve(configuration.context(file: file), pipeline)
        return configuration
    }

    /// Whether this build knows what the keys of this file mean.
    private func isReadable(_ options: inout OptionReader) -> Bool {
        guard !options.has("fleet") else {
            options.refuse("fleet", "this is a fleet file, which is not supported yet")
            return false
        }
        let format = RouterConfiguration.formatVersion
        let version = options.require(
            "fullbore", as: Int.self, help: "the version of the file's format",
            missing: "'fullbore' is missing: a router file begins with 'fullbore: \(format)'",
            shape: .whole(format...format))
        guard let version else { return true }
        guard version == format else {
            options.error("this build reads format \(format), not \(version)", at: "fullbore")
            return false
        }
        return true
    }

    private func name(_ options: inout OptionReader, _ defaultName: String) -> String {
        let help = "the instance's name; the file's own without its .yaml where this is left out"
        guard let name = options.optional("name", as: String.self, help: help) else {
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
