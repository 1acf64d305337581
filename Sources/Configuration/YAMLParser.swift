import Pipeline

/// Text to a tree of values, by libyaml's events.
///
/// The text may come from anybody: its size, its nesting and what its aliases expand to are bounded. What is wrong with
/// single nodes is collected; a text that is not YAML ends the reading, for nothing after it can be trusted.
package struct YAMLParser: ~Copyable {
    /// The most bytes of a file: some 250,000 peers.
    package static let maximumSize = 64 << 20
    /// How deep lists and mappings may nest, aliases followed.
    package static let maximumDepth = 32
    /// The most nodes of a tree, counting again what each alias stands for.
    package static let maximumNodes = 4 << 20

    private var events: YAMLEvents
    private let diagnostics: Diagnostics
    private var anchors: [String: Anchor] = [:]
    private var nodes = 0

    private enum Anchor {
        /// Its node is still being read.
        case open
        case done(Tree)
    }

    /// A node and what it costs to use it again.
    private struct Tree {
        let value: Value
        var height = 0
        var nodes = 1
    }

    /// The tree of the only document in `source`; nil, with errors, when there is none.
    package static func parse(_ source: SourceText, _ diagnostics: Diagnostics) -> Value? {
        let bytes = source.bytes
        do throws(YAMLProblem) {
            try check(bytes)
            guard let events = YAMLEvents(bytes) else {
                throw YAMLProblem("not enough memory to read this file", at: .position(.start))
            }
            var parser = YAMLParser(events: events, diagnostics: diagnostics)
            return try parser.document()
        } catch {
            let position =
                switch error.place {
                case .position(let position): position
                case .byteOffset(let offset): SourceText.position(of: offset, in: bytes)
                }
            let character = source.character(at: position)
            diagnostics.error(error.message(at: character), at: position)
            return nil
        }
    }

    private init(events: consuming YAMLEvents, diagnostics: Diagnostics) {
        self.events = events
        self.diagnostics = diagnostics
    }

    private static func check(_ bytes: [UInt8]) throws(YAMLProblem) {
        guard bytes.count <= maximumSize else {
            throw YAMLProblem("the file is larger than \(maximumSize >> 20) MiB", at: .position(.start))
        }
        if let offset = SourceText.firstInvalidUTF8(in: bytes) {
            throw YAMLProblem("this is not UTF-8", at: .byteOffset(offset))
        }
    }

    private mutating func document() throws(YAMLProblem) -> Value? {
        while true {
            let event = try events.next()
            switch event.kind {
            case .documentStart(let version):
                if let version, version != (1, 2) { try fail("this is read as YAML 1.2", event) }
                let first = try events.next()
                let root = try node(first, depth: 0)
                try end()
                return root.value
            case .streamEnd:
                throw YAMLProblem("the file is empty", at: .position(.start))
            default:
                continue
            }
        }
    }

    /// Reads on to the end, where nothing more may come.
    private mutating func end() throws(YAMLProblem) {
        while true {
            let event = try events.next()
            switch event.kind {
            case .documentStart: try fail("a second document: a file holds one", event)
            case .streamEnd: return
            default: continue
            }
        }
    }

    private mutating func node(_ event: YAMLEvent, depth: Int) throws(YAMLProblem) -> Tree {
        try spend(1, event)
        switch event.kind {
        case .alias(let name):
            return try expand(name, event, depth: depth)
        case .scalar(let scalar, let properties):
            let content: Value.Content = Self.isNull(scalar) ? .null : .scalar(scalar)
            let tree = Tree(value: Value(content, at: event.position))
            refuseTag(properties, event)
            if let anchor = properties.anchor { anchors[anchor] = .done(tree) }
            return tree
        case .sequenceStart(let properties):
            return try collection(properties, event, depth) { parser, depth throws(YAMLProblem) in
                try parser.sequence(depth: depth)
            }
        case .mappingStart(let properties):
            return try collection(properties, event, depth) { parser, depth throws(YAMLProblem) in
                try parser.mapping(depth: depth)
            }
        default:
            try fail("expected a value", event)
        }
    }

    private mutating func collection(
        _ properties: YAMLEvent.NodeProperties, _ event: YAMLEvent, _ depth: Int,
        _ read: (inout YAMLParser, Int) throws(YAMLProblem) -> (Value.Content, height: Int)
    ) throws(YAMLProblem) -> Tree {
        guard depth < Self.maximumDepth else { try fail("nested deeper than \(Self.maximumDepth) levels", event) }
        refuseTag(properties, event)
        if let anchor = properties.anchor { anchors[anchor] = .open }
        let before = nodes
        let (content, height) = try read(&self, depth + 1)
        let tree = Tree(value: Value(content, at: event.position), height: height + 1, nodes: 1 + nodes - before)
        if let anchor = properties.anchor { anchors[anchor] = .done(tree) }
        return tree
    }

    private mutating func sequence(depth: Int) throws(YAMLProblem) -> (Value.Content, height: Int) {
        var values: [Value] = []
        var height = 0
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind { return (.sequence(values), height) }
            let tree = try node(event, depth: depth)
            values.append(tree.value)
            height = max(height, tree.height)
        }
    }

    private mutating func mapping(depth: Int) throws(YAMLProblem) -> (Value.Content, height: Int) {
        var entries: [Value.Mapping.Entry] = []
        var lines: [String: Int] = [:]
        var height = 0
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind { return (.mapping(Value.Mapping(entries)), height) }
            let key = try key(event, depth: depth)
            let valueEvent = try events.next()
            let tree = try node(valueEvent, depth: depth)
            height = max(height, tree.height)
            guard let key else { continue }
            if let line = lines[key.value] {
                diagnostics.error(
                    "duplicate key \(Quotation.quote(key.value)): it is on line \(line) already", at: key.position)
            } else {
                lines[key.value] = key.position.line
                entries.append(Value.Mapping.Entry(key, tree.value))
            }
        }
    }

    /// The key of a mapping entry; nil, with an error, for one that is not text.
    private mutating func key(_ event: YAMLEvent, depth: Int) throws(YAMLProblem) -> Located<String>? {
        let tree = try node(event, depth: depth)
        guard case .scalar(let scalar, _) = event.kind, case .scalar = tree.value.content else {
            diagnostics.error("expected a key, found \(tree.value.found): a key is text", at: event.position)
            return nil
        }
        guard !scalar.isPlain || scalar.text != "<<" else {
            diagnostics.error("merge keys (<<) are not supported: write the keys out", at: event.position)
            return nil
        }
        return Located(scalar.text, at: event.position)
    }

    private mutating func expand(_ name: String, _ event: YAMLEvent, depth: Int) throws(YAMLProblem) -> Tree {
        switch anchors[name] {
        case .done(let tree):
            try spend(tree.nodes, event)
            guard depth + tree.height <= Self.maximumDepth else {
                try fail("nested deeper than \(Self.maximumDepth) levels", event)
            }
            return tree
        case .open:
            try fail("\(Quotation.quote("*" + name)) stands within what it stands for", event)
        case nil:
            try fail("\(Quotation.quote("*" + name)) stands for nothing: there is no '&' of that name above", event)
        }
    }

    private mutating func spend(_ count: Int, _ event: YAMLEvent) throws(YAMLProblem) {
        nodes += count
        guard nodes <= Self.maximumNodes else {
            try fail("the file has more than \(Self.maximumNodes) values, what its aliases stand for included", event)
        }
    }

    private func refuseTag(_ properties: YAMLEvent.NodeProperties, _ event: YAMLEvent) {
        if properties.hasTag { diagnostics.error("tags (!) are not supported", at: event.position) }
    }

    private func fail(_ message: String, _ event: YAMLEvent) throws(YAMLProblem) -> Never {
        throw YAMLProblem(message, at: .position(event.position))
    }

    /// The YAML 1.2 core schema's ways to write nothing (§10.3.2).
    private static func isNull(_ scalar: Value.Scalar) -> Bool {
        scalar.isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.text)
    }
}
