import Glibc
import Linux
import Logging
import Wire

/// One line an entry on standard error: time, level, sentence. Under systemd the journal has the time, and takes the
/// level from a prefix (sd-daemon(3)).
struct LogFormat: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    private let isJournal: Bool

    static func logger(_ level: Logger.Level = .info) -> Logger {
        let isJournal = unsafe getenv("JOURNAL_STREAM") != nil
        var logger = Logger(label: "fullbore") { _ in LogFormat(isJournal: isJournal) }
        logger.logLevel = level
        return logger
    }

    private init(isJournal: Bool) { self.isJournal = isJournal }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // A name from a file must not be able to begin a line of its own.
        let text = String(event.message.description.map { $0.isNewline ? " " : $0 })
        complain(isJournal ? "<\(event.level.priority)>\(text)" : "\(Self.time()) \(event.level) \(text)")
    }

    private static func time() -> String {
        var seconds = time_t(Clocks.wallTime().seconds)
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        return unsafe String(unsafeUninitializedCapacity: 32) { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe strftime(text.baseAddress, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
            }
        }
    }
}

extension Logger.Level {
    /// syslog(3).
    fileprivate var priority: Int {
        switch self {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
