import Pipeline
import Support

/// Options of a stage as anybody might write them, from what the stage declares of itself.
package enum RandomOptions {
    /// How often it is tried to hit on options that the stage does not refuse for what they mean together.
    private static let attempts = 200

    /// Options as they would stand in a file; `type` nil is a stage that takes none.
    package static func text(
        _ type: (any OptionRecord.Type)?, of stage: String, using random: inout SeededGenerator
    ) throws -> String {
        guard let type else { return "{}" }
        var refused = ""
        for _ in 0..<attempts {
            let text = try text(type.shape, true, &random)
            do throws(OptionsText.Problem) {
                _ = try OptionsText.read(text, as: type, of: stage)
                return text
            } catch {
                refused = error.description
            }
        }
        throw OptionsText.Problem(text: "no options of \(stage) were found that it takes; the last: \(refused)")
    }

    /// A record with what is required and nothing else.
    package static func simplest(_ type: any OptionRecord.Type, of stage: String) throws -> any OptionRecord {
        var random = SeededGenerator(seed: 0)
        for _ in 0..<attempts {
            let text = try text(type.shape, false, &random)
            if let record = try? OptionsText.read(text, as: type, of: stage) { return record }
        }
        throw OptionsText.Problem(text: "no options of \(stage) were found that it takes")
    }

    private static func text(_ shape: OptionShape, _ withOptional: Bool, _ random: inout SeededGenerator) throws
        -> String
    {
        switch shape {
        case .truth: return Bool.random(using: &random) ? "true" : "false"
        case .whole(let range):
            let ends = range.clamped(to: -1_000_000...1_000_000)
            return String([range.lowerBound, range.upperBound, Int.random(in: ends, using: &random)].pick(&random))
        case .words(let words): return words.pick(&random)
        case .text(let text):
            guard !text.examples.isEmpty else {
                throw OptionsText.Problem(text: "the shape of \(text.expected) needs examples")
            }
            return "\"\(text.examples.pick(&random))\""
        case .list(let element):
            let count = Int.random(in: 0...3, using: &random)
            return "["
                + (try (0..<count).map { _ in try self.text(element, withOptional, &random) }).joined(separator: ", ")
                + "]"
        case .record(let keys):
            let chosen = keys.filter { $0.isRequired || (withOptional && Bool.random(using: &random)) }
            return mapping(try chosen.map { ($0.name, try self.text($0.shape, withOptional, &random)) })
        case .names(_, let value):
            let names = ["one", "two"].prefix(Int.random(in: 0...2, using: &random))
            return mapping(try names.map { ($0, try self.text(value, withOptional, &random)) })
        case .either(let shapes, _): return try text(shapes.pick(&random), withOptional, &random)
        }
    }

    private static func mapping(_ entries: [(String, String)]) -> String {
        "{ " + entries.map { "\($0): \($1)" }.joined(separator: ", ") + " }"
    }
}

extension Array {
    /// One of them; there is one.
    func pick(_ random: inout SeededGenerator) -> Element { self[Int.random(in: 0..<count, using: &random)] }
}
