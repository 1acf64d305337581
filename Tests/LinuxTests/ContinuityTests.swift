import CLinux
import Glibc
import Linux
import Testing
import Wire

/// What the kernel says of sleep and of copied machines (P-9.3, P-9.4).
@Suite struct ContinuityTests {
    private static func message(_ variables: [String], path: String = "change@/devices/platform/vmgenid") -> ArraySlice<
        UInt8
    > {
        ([path] + variables).map { Array($0.utf8) + [0] }.joined().map { $0 }[...]
    }

    @Test func theGenerationOfAVirtualMachine() {
        let usual = ["ACTION=change", "DEVPATH=/devices/platform/vmgenid", "SUBSYSTEM=platform", "SEQNUM=4711"]
        #expect(UeventSocket.saysForked(Self.message(usual + ["NEW_VMGENID=1"])))
        #expect(UeventSocket.saysForked(Self.message(["NEW_VMGENID=1"] + usual)))
        #expect(!UeventSocket.saysForked(Self.message(usual)))
        #expect(!UeventSocket.saysForked(Self.message(usual + ["NEW_VMGENID=0"])))
        #expect(!UeventSocket.saysForked(Self.message(usual + ["OLD_NEW_VMGENID=1", "NEW_VMGENID=10"])))
        #expect(!UeventSocket.saysForked(Self.message(usual, path: "NEW_VMGENID=1")), "the path is no variable")
        #expect(!UeventSocket.saysForked([]))
    }

    @Test func otherProcessesCannotSayIt() throws {
        let socket = try UeventSocket()
        let stranger = Glibc.socket(AF_NETLINK, CInt(SOCK_DGRAM.rawValue), 15)  // NETLINK_KOBJECT_UEVENT
        defer { close(stranger) }
        // nl_family, padding, nl_pid, nl_groups.
        var address: (UInt16, UInt16, UInt32, UInt32) = (UInt16(AF_NETLINK), 0, 0, 1)
        let message = Array(Self.message(["NEW_VMGENID=1"]))
        let sent = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(stranger, message, message.count, 0, $0, 12)
            }
        }
        #expect(sent == message.count || errno == EPERM)
        let forked = socket.saysForked()
        #expect(!forked)
    }

    /// What the clocks say, to be moved on by a test.
    private final class Clocks { var slept = Interval.seconds(3600) }

    @Test func `P-9.3 a sleep is told once, with its length; less than a tenth of a second is none`() throws {
        let clocks = Clocks()
        var detector = try SleepDetector { clocks.slept }
        func sleep(_ length: Interval) throws -> Interval? {
            clocks.slept = clocks.slept + length
            return try detector.sleptAgain()
        }
        let told = [
            try sleep(.seconds(0)), try sleep(.milliseconds(99)), try sleep(.milliseconds(100)), try sleep(.seconds(0)),
            try sleep(.seconds(28_800)), try sleep(.seconds(7)), try sleep(.seconds(0)),
        ]
        #expect(told == [nil, nil, .milliseconds(100), nil, .seconds(28_800), .seconds(7), nil])
    }

    @Test func aMachineThatIsAwakeHasNotSlept() throws {
        var detector = try SleepDetector()
        let first = try detector.sleptAgain()
        usleep(150_000)
        let second = try detector.sleptAgain()
        #expect(first == nil && second == nil)
        var waiting = pollfd(fd: detector.rawValue, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&waiting, 1, 0) == 0)
    }
}
