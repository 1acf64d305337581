import Glibc
import Linux
import Locking
import Logging
import Synchronization
import Wire

/// Something of a router that is kept over a restart, in a file of its state directory.
protocol KeptFile: Sendable {
    associatedtype Content: Equatable & Sendable

    /// Between two looks whether it has changed: what a crash loses.
    static var interval: Interval { get }
    /// What it is, for the log: `the peers' time stamps`.
    static var content: String { get }
    static var nothing: Content { get }

    var file: StateFile { get }
    func text(of content: Content) -> String
    /// `malformed`: how many lines make no sense.
    func parse(_ bytes: [UInt8]) -> (Content, malformed: Int)
}

extension KeptFile {
    var path: String { file.path }

    /// What was saved last, and how many lines of it make no sense.
    func load() throws(Errno) -> (Content, malformed: Int) { parse(try file.load()) }

    func save(_ content: Content) throws(Errno) { try file.save(text(of: content)) }
}

/// Saves what a file keeps now and then, and at the end, on a thread of its own.
final class StateKeeper<File: KeptFile>: Sendable {
    private let file: File
    private let wakeup: Doorbell
    private let isStopped = Atomic(false)
    private let log: Logger
    /// What the file says.
    private let saved: Guarded<File.Content>
    /// Said once; the disk of a router that runs for years may be full for days.
    private let hasComplained = Atomic(false)

    init(_ file: File, _ log: Logger) throws(Errno) {
        self.file = file
        self.log = log
        wakeup = try Doorbell()
        saved = Guarded(File.nothing)
        file.file.prepare()
    }

    /// What the last run has left; with a word in the log where it cannot be read.
    func load() -> File.Content {
        do throws(Errno) {
            let (content, malformed) = try file.load()
            if malformed > 0 { log.warning("\(file.path): \(malformed) lines make no sense, left out") }
            saved.withLock { $0 = content }
            return content
        } catch {
            log.warning("\(File.content): lost, \(error)")
            return File.nothing
        }
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.ring()
    }

    /// Saves what `content` gives, where it gives anything that has changed, until `stop` and once more then.
    func run(_ content: () -> File.Content?) {
        repeat {
            var waiting = pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&waiting, 1, CInt(File.interval.nanoseconds / 1_000_000))
            if let content = content() { save(content) }
        } while !isStopped.load(ordering: .acquiring)
    }

    /// Saves it now, where it is not what the file says.
    func save(_ content: File.Content) {
        guard saved.withLock({ $0 != content }) else { return }
        do throws(Errno) {
            try file.save(content)
            saved.withLock { $0 = content }
            hasComplained.store(false, ordering: .relaxed)
        } catch {
            guard !hasComplained.exchange(true, ordering: .relaxed) else { return }
            log.warning("cannot keep \(File.content) over a restart: \(error)")
        }
    }
}

typealias TimestampKeeper = StateKeeper<TimestampFile>
