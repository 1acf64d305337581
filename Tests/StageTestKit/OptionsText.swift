import Configuration
import Pipeline

/// Options as they stand in a router file, read as the router reads them.
package enum OptionsText {
    package struct Problem: Error, CustomStringConvertible {
        let text: String
        package var description: String { text }
    }

    /// nil for a stage that takes none and is given none.
    package static func read(
        _ text: String, as type: (any OptionRecord.Type)?, of stage: String
    ) throws(Problem) -> (any OptionRecord)? {
        let diagnostics = Diagnostics()
        let source = SourceText(file: stage, bytes: Array(text.utf8))
        let value = YAMLParser.parse(source, diagnostics)
        guard let type else {
            guard value?.content == .mapping(Value.Mapping([])) else {
                throw Problem(text: "\(stage) takes no options here: \(text)")
            }
            return nil
        }
        var record: (any OptionRecord)?
        if let value, var options = OptionReader(value, of: "the options of \(stage)", diagnostics) {
            record = type.init(&options)
            options.finish()
        }
        guard let record, !diagnostics.hasErrors else {
            throw Problem(text: ConfigurationReport(source, diagnostics).description)
        }
        return record
    }
}
