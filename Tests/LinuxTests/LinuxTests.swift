import Glibc
import Linux
import Testing
import Wire

@Suite struct DescriptorTests {
    @Test func aDescriptorIsClosedWhenItsOwnerLetsGo() throws {
        var number: CInt = -1
        do {
            let descriptor = try FileDescriptor.open("/dev/null")
            number = descriptor.rawValue
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
        }
        // Another test may have been given the number since: what counts is that it is not /dev/null any more.
        #expect(Self.target(of: number) != "/dev/null")
    }

    @Test func aReleasedDescriptorStaysOpen() throws {
        let descriptor = try FileDescriptor.open("/dev/zero")
        let number = descriptor.release()
        #expect(Self.target(of: number) == "/dev/zero")
        close(number)
    }

    @Test func anErrorNamesTheCallAndTheReason() {
        do {
            _ = try FileDescriptor.open("/no/such/file")
            Issue.record("opened what is not there")
        } catch {
            #expect(error == Errno(ENOENT))
            #expect(error.description == "open /no/such/file: No such file or directory")
        }
    }

    private static func target(of descriptor: CInt) -> String? {
        var path = [UInt8](repeating: 0, count: 256)
        let count = unsafe path.withUnsafeMutableBytes {
            unsafe readlink(
                "/proc/self/fd/\(descriptor)", $0.bindMemory(to: CChar.self).baseAddress.unsafelyUnwrapped, $0.count)
        }
        return count < 0 ? nil : String(decoding: path[..<count], as: UTF8.self)
    }
}

@Suite struct EpollTests {
    @Test func aSignalIsReportedWithItsTokenUntilCleared() throws {
        let event = try EventDescriptor()
        var epoll = try Epoll()
        try epoll.add(event.rawValue, token: 0xfeed_0000_0000_0007)
        #expect(try epoll.wait(until: Instant(nanoseconds: 0), now: Clocks.now()) == 0)

        event.signal()
        event.signal()
        for _ in 0..<2 {  // level-triggered: twice
            #expect(try epoll.wait(until: .never, now: Clocks.now()) == 1)
            #expect(epoll[0].token == 0xfeed_0000_0000_0007)
            #expect(epoll[0].ready == .read)
        }
        #expect(event.clear() == true)
        #expect(event.clear() == false)
        #expect(try epoll.wait(until: Instant(nanoseconds: 0), now: Clocks.now()) == 0)
    }

    @Test func aWaitEndsAtItsDeadlineAndNotBefore() throws {
        var epoll = try Epoll()
        let start = Clocks.now()
        let deadline = start + .microseconds(1700)
        #expect(try epoll.wait(until: deadline, now: start) == 0)
        #expect(Clocks.now() >= deadline)
    }

    @Test func interestCanBeModifiedAndRemoved() throws {
        let event = try EventDescriptor()
        var epoll = try Epoll()
        let soon = Instant(nanoseconds: 0)
        try epoll.add(event.rawValue, .read, token: 1)
        try epoll.modify(event.rawValue, .write, token: 2)
        #expect(try epoll.wait(until: soon, now: Clocks.now()) == 1)
        #expect(epoll[0].token == 2 && epoll[0].ready == .write)
        try epoll.remove(event.rawValue)
        #expect(try epoll.wait(until: soon, now: Clocks.now()) == 0)
        do {
            try epoll.remove(event.rawValue)
            Issue.record("removed twice")
        } catch {
            #expect(error == Errno(ENOENT))
        }
    }
}

@Suite struct ThreadTests {
    @Test func aThreadRunsItsClosureUnderItsNameWithEverySignalBlocked() throws {
        let seen = Seen()
        let thread = try Thread(name: "a name longer than fifteen") {
            seen.name = (try? Sysctl.read(file: "/proc/thread-self/comm")) ?? ""
            var mask = sigset_t()
            unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
            seen.termBlocked = unsafe sigismember(&mask, SIGTERM) == 1
        }
        thread.join()
        #expect(seen.name == "a name longer t")
        #expect(seen.termBlocked)
    }

    /// Written by the thread, read after it is joined.
    private final class Seen: @unchecked Sendable {
        var name = ""
        var termBlocked = false
    }

    @Test func aSignalDescriptorHasTheSignalsSentToItsThread() throws {
        let signals = SignalLog()
        let thread = try Thread(name: "signals") {
            guard let descriptor = try? SignalDescriptor([SIGHUP, SIGTERM]) else { return }
            signals.append(descriptor.next())
            pthread_kill(pthread_self(), SIGHUP)
            signals.append(descriptor.next())
            signals.append(descriptor.next())
        }
        thread.join()
        #expect(signals.all == [nil, SIGHUP, nil])
    }

    /// Written by the thread, read after it is joined.
    private final class SignalLog: @unchecked Sendable {
        private(set) var all: [CInt?] = []
        func append(_ signal: CInt?) { all.append(signal) }
    }
}

@Suite struct ClockTests {
    @Test func theBootClockGoesOnAndTheWallClockIsOfThisCentury() {
        let a = Clocks.now()
        let b = Clocks.now()
        #expect(a <= b && a.nanoseconds > 0)
        #expect(Clocks.wallTime().seconds > 1_700_000_000)
    }
}
