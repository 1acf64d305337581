import Configuration
import PacketPath
import Pipeline

/// A router file: it is good, or it is refused with a word that can be shown, at a place that is in it.
func fuzzYAML(_ input: [UInt8]) {
    let stages = coreStages.map { StageSchema($0) }
    let source = SourceText(file: "fuzz.yaml", bytes: input)
    do {
        let loaded = try ConfigurationFile.load(source, stages: stages)
        _ = loaded.warnings.description
    } catch {
        demand(!error.isEmpty, "refused without a reason")
        for diagnostic in error.diagnostics {
            guard let position = diagnostic.position else { continue }
            demand(position.line >= 1 && position.column >= 1, "an error at \(position)")
        }
        demand(!error.description.isEmpty, "nothing to show")
    }
}
