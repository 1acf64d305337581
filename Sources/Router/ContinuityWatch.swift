import Glibc
import Linux
import Logging
import Synchronization
import Wire

/// Watches for breaks after which no key of before may be used: suspend, and the copying of a virtual machine (P-9.3, P-9.4).
///
/// A copy has the same keys and the same counters as the machine that goes on elsewhere: both would seal different packets
/// with one nonce.
final class ContinuityWatch: Sendable {
    enum Break: Sendable, Equatable {
        case slept(Interval)
        case forked
    }

    /// Where breaks come from: the system, or a test.
    protocol Source: ~Copyable {
        /// Ready for reading when there may have been a break.
        var descriptors: [CInt] { get }
        /// What has happened since the last call.
        mutating func breaks() -> [Break]
    }

    private let wakeup: Doorbell
    private let isStopped = Atomic(false)

    init() throws(Errno) { wakeup = try Doorbell() }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.ring()
    }

    /// Tells `each` break that `source` has, until `stop`.
    func run(_ source: consuming some Source & ~Copyable, each: (Break) -> Void) {
        var waiting = ([wakeup.rawValue] + source.descriptors).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while !isStopped.load(ordering: .acquiring) {
            _ = unsafe poll(&waiting, nfds_t(waiting.count), -1)
            for event in source.breaks() { each(event) }
        }
    }
}

/// What this machine tells: of sleep always, of being copied where the kernel has vmgenid.
struct SystemContinuity: ContinuityWatch.Source, ~Copyable {
    private var sleep: SleepDetector
    private let uevents: UeventSocket

    init() throws(Errno) { self.init(try SleepDetector(), try UeventSocket()) }

    private init(_ sleep: consuming SleepDetector, _ uevents: consuming UeventSocket) {
        self.sleep = sleep
        self.uevents = uevents
    }

    var descriptors: [CInt] { [sleep.rawValue, uevents.rawValue] }

    mutating func breaks() -> [ContinuityWatch.Break] {
        var breaks: [ContinuityWatch.Break] = []
        if let length = try? sleep.sleptAgain() { breaks.append(.slept(length)) }
        if uevents.saysForked() { breaks.append(.forked) }
        return breaks
    }
}
