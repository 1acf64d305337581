import CLinux
import Glibc
import Wire

/// Waits for any of several descriptors, level-triggered: what is not read is reported again.
@safe package struct Epoll: ~Copyable {
    /// The most events that one wait takes; what is left is in the next one.
    package static let eventBound = 64

    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let read = Interest(rawValue: EPOLLIN.rawValue)
        package static let write = Interest(rawValue: EPOLLOUT.rawValue)
        /// An error or a hang-up, always reported: the next read or write tells what it is.
        package static let failure = Interest(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
    }

    package struct Event: Sendable {
        /// The number that the descriptor was added with.
        package let token: UInt64
        package let ready: Interest
    }

    private let descriptor: FileDescriptor
    private let events: UnsafeMutablePointer<epoll_event>
    /// How many events the last wait has found.
    package private(set) var count = 0

    package init() throws(Errno) {
        descriptor = try FileDescriptor(epoll_create1(CInt(EPOLL_CLOEXEC)), "epoll_create1")
        unsafe events = .allocate(capacity: Self.eventBound)
        unsafe events.initialize(repeating: epoll_event(), count: Self.eventBound)
    }

    deinit { unsafe events.deallocate() }

    /// The descriptor must be removed, or closed as the last of its kind, before its owner goes.
    package func add(_ descriptor: CInt, _ interest: Interest = .read, token: UInt64) throws(Errno) {
        try control(EPOLL_CTL_ADD, descriptor, interest, token)
    }

    package func modify(_ descriptor: CInt, _ interest: Interest, token: UInt64) throws(Errno) {
        try control(EPOLL_CTL_MOD, descriptor, interest, token)
    }

    package func remove(_ descriptor: CInt) throws(Errno) {
        try control(EPOLL_CTL_DEL, descriptor, [], 0)
    }

    /// Waits until a descriptor is ready or `deadline` has come (`.never`: for ever), and says how many are ready.
    /// A deadline in the past looks and does not wait. A signal ends the wait with 0 events.
    @discardableResult
    package mutating func wait(until deadline: Instant, now: Instant) throws(Errno) -> Int {
        count = 0
        let capacity = CInt(Self.eventBound)
        let found: CInt
        if deadline == .never {
            found = unsafe clinux_epoll_wait(descriptor.rawValue, events, capacity, nil)
        } else {
            let left = (deadline - now).nanoseconds
            var timeout = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            found = unsafe clinux_epoll_wait(descriptor.rawValue, events, capacity, &timeout)
        }
        if found < 0 {
            guard errno == EINTR else { throw Errno.last("epoll_pwait2") }
            return 0
        }
        count = Int(found)
        return count
    }

    /// One of the `count` events of the last wait.
    package subscript(index: Int) -> Event {
        precondition(index >= 0 && index < count)
        let event = unsafe events[index]
        return unsafe Event(token: event.data.u64, ready: Interest(rawValue: event.events))
    }

    private func control(_ operation: CInt, _ other: CInt, _ interest: Interest, _ token: UInt64) throws(Errno) {
        var event = unsafe epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        try Errno.check(unsafe epoll_ctl(descriptor.rawValue, operation, other, &event), "epoll_ctl")
    }
}
