import CYAML
internal import Pipeline

/// Why a text is not YAML, in words for somebody who does not know the grammar.
struct YAMLProblem: Error, Equatable {
    enum Place: Equatable {
        case position(SourcePosition)
        /// The reader knows only how many bytes it has read.
        case byteOffset(Int)
    }

    let message: String
    let place: Place

    init(_ message: String, at place: Place) {
        self.message = message
        self.place = place
    }

    init(_ parser: yaml_parser_t) {
        switch unsafe parser.error {
        case YAML_MEMORY_ERROR:
            self.init("not enough memory to read this file", at: .position(.start))
        case YAML_READER_ERROR:
            self.init("a control character cannot stand in a file", at: .byteOffset(unsafe parser.problem_offset))
        default:
            let problem = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "this is not YAML"
            let mark = unsafe SourcePosition(parser.problem_mark)
            let context = unsafe SourcePosition(parser.context_mark)
            let sentence = Self.sentences[problem]
            // What is never closed is told where it was opened, not at the end of the file.
            self.init(sentence?.text ?? problem, at: .position(sentence?.isAboutStart == true ? context : mark))
        }
    }

    /// The message, knowing what stands at the place: of some characters there is more to say.
    func message(at character: Unicode.Scalar?) -> String {
        guard [Self.badStart, Self.noValue].contains(message) else { return message }
        switch character {
        case "\t": return Self.tab.text
        case ":": return "text that begins with ':' stands in quotes"
        default: return message
        }
    }

    private static let badStart = "a value cannot begin with this character: put the value in quotes"
    private static let noValue = "expected a value"

    private struct Sentence: Sendable {
        let text: String
        var isAboutStart = false
    }

    private static let tab = Sentence(text: "a tab cannot indent: use spaces")

    /// libyaml's own words (0.2.5), as far as a typing mistake brings them up.
    private static let sentences: [String: Sentence] = [
        "found character that cannot start any token":
            Sentence(text: badStart),
        "found a tab character that violates indentation": tab,
        "found a tab character where an indentation space is expected": tab,
        "mapping values are not allowed in this context":
            Sentence(
                text: "a ':' cannot stand here: is the line indented as the one above, "
                    + "and a value that holds ': ' in quotes?"),
        "mapping keys are not allowed in this context": Sentence(text: "a key cannot stand here"),
        "block sequence entries are not allowed in this context":
            Sentence(text: "a list entry cannot stand here: begin the list on a line of its own"),
        "could not find expected ':'":
            Sentence(text: "this line has no ':' after its key", isAboutStart: true),
        "did not find expected key":
            Sentence(text: "expected a key: is the line indented as the others of its mapping?"),
        "did not find expected '-' indicator":
            Sentence(text: "expected a list entry: is the line indented as the others of its list?"),
        "did not find expected ',' or ']'": Sentence(text: "this '[' has no ']'", isAboutStart: true),
        "did not find expected ',' or '}'": Sentence(text: "this '{' has no '}'", isAboutStart: true),
        "did not find expected node content": Sentence(text: noValue),
        "found unexpected ':'": Sentence(text: "a ':' at the end of a word: put the text in quotes"),
        "found unexpected end of stream": Sentence(text: "this quoted text has no end", isAboutStart: true),
        "found unexpected document indicator":
            Sentence(text: "this quoted text has no end before the document's", isAboutStart: true),
        "found unknown escape character":
            Sentence(text: "unknown escape in double quotes: in single quotes a backslash is itself"),
        "did not find expected <document start>": Sentence(text: "nothing may follow the end of the document"),
        "found incompatible YAML document": Sentence(text: "this is read as YAML 1.2"),
        "found undefined tag handle": Sentence(text: "tags (!) are not supported"),
        "did not find the expected '>'": Sentence(text: "tags (!) are not supported"),
        "did not find expected alphabetic or numeric character":
            Sentence(text: "a value cannot begin with '*' or '&': put the value in quotes", isAboutStart: true),
    ]
}
