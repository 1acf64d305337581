/// Notes what a reader is asked for, so that the code which reads a mapping is also what declares its keys.
public final class OptionRecorder {
    public private(set) var keys: [OptionKey] = []

    /// The keys that `read` asks for when it is given a mapping with none of them.
    public static func keys(_ read: (inout OptionReader) -> Void) -> [OptionKey] {
        let recorder = OptionRecorder()
        var reader = OptionReader(recorder)
        read(&reader)
        return recorder.keys
    }

    /// A key that is asked for twice is noted once.
    func note(_ key: OptionKey) {
        if !keys.contains(where: { $0.name == key.name }) { keys.append(key) }
    }
}

extension OptionRecord {
    /// The mapping of the keys that reading a record asks for.
    public static var shape: OptionShape { .record(OptionRecorder.keys { _ = Self(&$0) }) }
}
