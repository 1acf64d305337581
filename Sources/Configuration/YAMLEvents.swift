import CYAML
import Pipeline

/// What libyaml tells of a text, one piece after the other, in Swift's types.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd
        /// The version of a `%YAML` directive, where there is one.
        case documentStart(version: (major: Int, minor: Int)?)
        case documentEnd
        case alias(String)
        case scalar(Value.Scalar, NodeProperties)
        case sequenceStart(NodeProperties)
        case sequenceEnd
        case mappingStart(NodeProperties)
        case mappingEnd
    }

    /// What may stand before a node: `&anchor` and `!tag`.
    struct NodeProperties {
        let anchor: String?
        let hasTag: Bool
    }

    let kind: Kind
    let position: SourcePosition
}

/// libyaml's parser over a copy of a text. It never backtracks: after an error there is nothing more to ask for.
@safe struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    /// nil when there is no memory. `bytes` must be UTF-8 without a byte order mark.
    init?(_ bytes: some Collection<UInt8>) {
        // The parser keeps pointers to itself and to its input, so neither may move.
        unsafe parser = .allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe parser.deallocate()
            return nil
        }
        unsafe text = .allocate(capacity: bytes.count + 1)
        _ = unsafe text.initialize(from: bytes)
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    mutating func next() throws(YAMLProblem) -> YAMLEvent {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw unsafe YAMLProblem(parser.pointee) }
        defer { unsafe yaml_event_delete(&event) }
        let position = unsafe SourcePosition(event.start_mark)
        return YAMLEvent(kind: unsafe Self.kind(event), position: position)
    }

    private static func kind(_ event: yaml_event_t) -> YAMLEvent.Kind {
        let data = unsafe event.data
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT:
            return .streamStart
        case YAML_DOCUMENT_START_EVENT:
            guard let version = unsafe data.document_start.version_directive else {
                return .documentStart(version: nil)
            }
            return unsafe .documentStart(version: (Int(version.pointee.major), Int(version.pointee.minor)))
        case YAML_DOCUMENT_END_EVENT:
            return .documentEnd
        case YAML_ALIAS_EVENT:
            return .alias(unsafe text(data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
            let value = unsafe Value.Scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain)
            return unsafe .scalar(value, properties(scalar.anchor, scalar.tag))
        case YAML_SEQUENCE_START_EVENT:
            return unsafe .sequenceStart(properties(data.sequence_start.anchor, data.sequence_start.tag))
        case YAML_SEQUENCE_END_EVENT:
            return .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            return unsafe .mappingStart(properties(data.mapping_start.anchor, data.mapping_start.tag))
        case YAML_MAPPING_END_EVENT:
            return .mappingEnd
        default:  // libyaml gives an empty event once the stream has ended
            return .streamEnd
        }
    }

    private static func properties(
        _ anchor: UnsafePointer<UInt8>?, _ tag: UnsafePointer<UInt8>?
    ) -> YAMLEvent.NodeProperties {
        unsafe YAMLEvent.NodeProperties(anchor: text(anchor), hasTag: tag != nil)
    }

    private static func text(_ characters: UnsafePointer<UInt8>?) -> String? {
        unsafe characters.map { unsafe String(cString: $0) }
    }
}

extension SourcePosition {
    /// libyaml counts from 0, in characters.
    init(_ mark: yaml_mark_t) { self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }
}
