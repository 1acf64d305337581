import Pipeline

/// A router file that is good, and what it was read from.
package struct LoadedConfiguration: Sendable {
    package let configuration: RouterConfiguration
    /// For errors that come up later, such as a key that cannot be loaded.
    package let source: SourceText
    /// What probably is not meant; empty for most files.
    package let warnings: ConfigurationReport
}

/// Reads router files. Needs no privileges, and reads no keys (`KeyCheck` does).
package enum ConfigurationFile {
    /// The file at `path`, for the stages there are; throws all of its errors at once.
    package static func load(path: String, stages: [StageSchema]) throws(ConfigurationReport) -> LoadedConfiguration {
        try load(try read(path), stages: stages)
    }

    /// As `load(path:)`, from a text that is in memory already.
    package static func load(_ source: SourceText, stages: [StageSchema]) throws(ConfigurationReport)
        -> LoadedConfiguration
    {
        let diagnostics = Diagnostics()
        let root = YAMLParser.parse(source, diagnostics)
        var reader = ConfigurationReader(file: source.file, stages: stages, diagnostics)
        let configuration = root.flatMap { reader.router($0, defaultName: baseName(source.file)) }
        let report = ConfigurationReport(source, diagnostics)
        guard let configuration, !diagnostics.hasErrors else { throw report }
        return LoadedConfiguration(configuration: configuration, source: source, warnings: report)
    }

    private static func read(_ path: String) throws(ConfigurationReport) -> SourceText {
        do throws(FileProblem) {
            return SourceText(file: path, bytes: try FileContents.read(path, limit: YAMLParser.maximumSize))
        } catch {
            let diagnostics = Diagnostics()
            diagnostics.error(error.message, at: nil)
            throw ConfigurationReport(SourceText(file: path, bytes: []), diagnostics)
        }
    }

    /// The file's name without its folder and its `.yaml`: the instance's name where the file gives none.
    static func baseName(_ path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        for suffix in [".yaml", ".yml"] where name.hasSuffix(suffix) { return String(name.dropLast(suffix.count)) }
        return String(name)
    }
}
