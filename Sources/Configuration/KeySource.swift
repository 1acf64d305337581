import Pipeline

/// Where a secret key is: a file never holds the key itself.
package enum KeySource: Sendable, Hashable {
    /// A path; one that is not absolute counts from the configuration file's folder.
    case file(String)
    /// The name of one of systemd's credentials (systemd.exec(5), LoadCredential=).
    case credential(String)

    /// PATH_MAX and NAME_MAX, less the terminating zero.
    static let maximumPathLength = 4095
    static let maximumNameLength = 255
}

extension KeySource: OptionValue {
    package static var shape: OptionShape {
        func only(_ key: String, _ help: String) -> OptionShape {
            .record([OptionKey(name: key, shape: String.shape, isRequired: true, help: help)])
        }
        return .either([
            only("file", "the path of the key's file; one that is not absolute counts from this file's folder"),
            only("credential", "the name of one of systemd's credentials"),
        ])
    }

    package static func read(_ value: Value, _ diagnostics: Diagnostics) -> KeySource? {
        if case .scalar = value.content {
            // Not a word of what stands there: it is probably the key.
            diagnostics.error(
                "a secret key never stands in this file: put it in a file of its own with mode 0600, and write { file: PATH }",
                at: value.position)
            return nil
        }
        guard var options = OptionReader(value, diagnostics) else { return nil }
        let file = options.optional("file", as: Located<String>.self)
        let credential = options.optional("credential", as: Located<String>.self)
        let known = [options.has("file"), options.has("credential")]
        options.finish()
        guard known == [true, false] || known == [false, true] else {
            let hasUnknown = known == [false, false] && value.content != .mapping(Value.Mapping([]))
            if !hasUnknown {
                diagnostics.error("expected either { file: PATH } or { credential: NAME }", at: value.position)
            }
            return nil
        }
        return file.flatMap { path($0, diagnostics) } ?? credential.flatMap { name($0, diagnostics) }
    }

    private static func path(_ path: Located<String>, _ diagnostics: Diagnostics) -> KeySource? {
        guard !path.value.isEmpty, path.value.utf8.count <= maximumPathLength,
            path.value.utf8.allSatisfy({ $0 >= 0x20 })
        else {
            diagnostics.error("this is not a path", at: path.position)
            return nil
        }
        return .file(path.value)
    }

    private static func name(_ name: Located<String>, _ diagnostics: Diagnostics) -> KeySource? {
        let isName = ![".", ".."].contains(name.value) && (1...maximumNameLength).contains(name.value.utf8.count)
        guard isName, name.value.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7f }) else {
            diagnostics.error(
                "this is not a credential's name: it is a file's name without a folder", at: name.position)
            return nil
        }
        return .credential(name.value)
    }
}
