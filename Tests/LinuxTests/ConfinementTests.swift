import CLinux
import Glibc
import Locking
import Synchronization
import Testing

@testable import Linux

/// What a process gives up, on a thread of its own or in a process of its own: it does not come back.
@Suite struct ConfinementTests {
    /// Runs `body` on a new thread, which ends with all that it has given up.
    private static func onAThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) throws -> Result? {
        let outcome = Outcome<Result>()
        try Thread(name: "confined") { outcome.value.withLock { $0 = body() } }.join()
        return outcome.value.withLock { $0 }
    }

    private final class Outcome<Result: Sendable>: Sendable {
        let value = Guarded<Result?>(nil)
    }

    @Test func `S-34 capabilities that are not kept are gone, and a raw socket with them`() throws {
        let seen = try Self.onAThread { () -> [Bool] in
            let before = [Capabilities.has(.netAdmin), Capabilities.has(.netBindService)]
            try? Capabilities.keepOnly([.netAdmin])
            let raw = socket(AF_INET, CInt(SOCK_RAW.rawValue), CInt(IPPROTO_ICMP))
            if raw >= 0 { close(raw) }
            return before + [Capabilities.has(.netAdmin), Capabilities.has(.netBindService), raw >= 0]
        }
        #expect(seen == [true, true, true, false, false])
        #expect(Capabilities.has(.netBindService), "other threads have theirs")
    }

    @Test(.enabled(if: Landlock.version != nil, "this kernel has no Landlock"))
    func `S-34 files are changed where it was said and nowhere else, and no program starts`() throws {
        var template = Array("/tmp/fullbore-test-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&template)
        let folder = try #require(unsafe made.map { unsafe String(cString: $0) })
        defer { for name in ["in/a", "in", "out/b", "out", ""] { unsafe remove("\(folder)/\(name)") } }
        for name in ["in", "out"] { try #require(unsafe mkdir("\(folder)/\(name)", 0o700) == 0) }
        let tries = try Self.onAThread { () -> [String: CInt] in
            func outcome(_ result: CInt) -> CInt { result >= 0 ? 0 : errno }
            func write(_ path: String) -> CInt {
                let file = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
                defer { if file >= 0 { close(file) } }
                return outcome(file)
            }
            do {
                try ProcessFlags.noNewPrivileges()
                try Landlock.allowChanges(below: ["\(folder)/in", "\(folder)/nowhere", "/dev/null"])
            } catch {
                return ["set up": 1]
            }
            var child = pid_t()
            let arguments: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
            return [
                "inside": write("\(folder)/in/a"), "outside": write("\(folder)/out/b"), "null": write("/dev/null"),
                "remove": outcome(unsafe rmdir("\(folder)/out")),
                "read": outcome(unsafe open("/etc/passwd", O_RDONLY | O_CLOEXEC)),
                "execute": unsafe posix_spawn(&child, "/bin/true", nil, nil, arguments, nil),
            ]
        }
        #expect(
            tries == ["inside": 0, "outside": EACCES, "null": 0, "remove": EACCES, "read": 0, "execute": EACCES])
    }

    @Test func `S-34 the filter lets the list through and refuses the rest`() {
        let filter = Interpreter(SystemCallFilter())
        for call in SystemCalls.ofARunningRouter { #expect(filter.outcome(call) == SystemCallFilter.allow, "\(call)") }
        let refused = [SYS_execve, SYS_execveat, SYS_ptrace, SYS_mount, SYS_setns, SYS_unshare, SYS_bpf, SYS_setuid]
        for call in refused { #expect(filter.outcome(call) == SystemCallFilter.refuse(EPERM), "\(call)") }
        #expect(filter.outcome(SYS_clone3) == SystemCallFilter.refuse(ENOSYS))
        #expect(filter.outcome(9999) == SystemCallFilter.refuse(ENOSYS), "what is newer than the list")
        #expect(filter.outcome(SYS_read, architecture: 0x4000_0003) == SystemCallFilter.kill, "32-bit x86")
    }

    @Test func `S-34 calls that are good for more than they are needed for are looked at closely`() {
        let filter = Interpreter(SystemCallFilter())
        let me = UInt32(getpid())
        let cases: [(call: CInt, argument: Int, allowed: [UInt32], refused: [UInt32], with: CInt)] = [
            // The flags of pthread_create and of fork.
            (SYS_clone, 0, [0x3d_0f00], [17], EPERM),
            (SYS_tgkill, 0, [me], [0, 1, me + 1], EPERM),
            (SYS_prlimit64, 0, [0, me], [1], EPERM),
            (SYS_sched_setaffinity, 0, [0], [1], EPERM),
            (SYS_sched_getattr, 0, [0], [1], EPERM),
            (SYS_sched_setattr, 0, [0], [1], EPERM),
            (SYS_setpriority, 0, [UInt32(PRIO_PROCESS.rawValue)], [UInt32(PRIO_USER.rawValue)], EPERM),
            (SYS_setpriority, 1, [0], [1], EPERM),
            (SYS_ioctl, 1, [UInt32(TIOCGWINSZ), 0], [UInt32(TIOCSTI), 0x541c], EPERM),
            (SYS_fchmod, 1, [0o700], [0o4755, 0o666, 0o777], EPERM),
            (SYS_mmap, 2, [0, 1, 3, 5], [6, 7], EPERM),
            (SYS_mprotect, 2, [0, 1, 3], [4, 5, 7], EPERM),
            (SYS_socket, 0, [1, 2, 10, 16], [0, 3, 17, 38, 40, 44], EAFNOSUPPORT),
            (SYS_socketpair, 0, [1], [2, 16], EAFNOSUPPORT),
        ]
        for test in cases {
            for value in test.allowed {
                #expect(
                    filter.outcome(test.call, [test.argument: value]) == SystemCallFilter.allow, "\(test.call) \(value)"
                )
            }
            for value in test.refused {
                let outcome = filter.outcome(test.call, [test.argument: value])
                #expect(outcome == SystemCallFilter.refuse(test.with), "\(test.call) \(value)")
            }
        }
        #expect(Set(cases.map(\.call)) == Set(ArgumentRule.ofARunningRouter.map(\.call)), "each rule is tried")
        let listed = Set(SystemCalls.ofARunningRouter)
        #expect(!cases.contains { listed.contains($0.call) }, "none is let through before its rule")
    }

    @Test func `S-34 under the filter others are left alone, and nothing that was written is executed`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            /// What each try comes to: 0, or the error.
            func tries() -> [CInt] {
                func outcome(_ result: CInt) -> CInt { result >= 0 ? 0 : errno }
                func room(_ protection: CInt) -> UnsafeMutableRawPointer? {
                    let room = unsafe mmap(nil, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                    return unsafe room == MAP_FAILED ? nil : room
                }
                let kind = __priority_which_t(PRIO_PROCESS.rawValue)
                let parent = id_t(getppid())
                let written = unsafe room(PROT_READ | PROT_WRITE)
                return [
                    // What it is, so that nothing changes.
                    outcome(setpriority(kind, parent, getpriority(kind, parent))),
                    outcome(setpriority(kind, 0, getpriority(kind, 0))),
                    outcome(raise(SIGURG)),
                    outcome(unsafe mprotect(written, 4096, PROT_READ | PROT_EXEC)),
                    unsafe room(PROT_READ | PROT_WRITE | PROT_EXEC) == nil ? errno : 0,
                    outcome(socket(AF_ALG, CInt(SOCK_SEQPACKET.rawValue), 0)),
                    outcome(socket(AF_INET6, CInt(SOCK_DGRAM.rawValue), 0)),
                ]
            }
            let before = tries()
            do {
                try ProcessFlags.noNewPrivileges()
                try SystemCallFilter().install()
            } catch {
                exit(1)
            }
            let after = tries()
            // A kernel may have no AF_ALG.
            guard before.enumerated().allSatisfy({ $1 == 0 || $0 == 5 }) else { exit(2) }
            exit(after == [EPERM, 0, 0, EPERM, EPERM, EAFNOSUPPORT, 0] ? 7 : 3)
        }
    }

    @Test(.enabled(if: (Landlock.version ?? 0) >= 6, "this kernel's Landlock lets signals be"))
    func `S-34 other processes get no signals, by whatever way`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let parent = getppid()
            guard kill(parent, 0) == 0 else { exit(2) }
            do {
                try ProcessFlags.noNewPrivileges()
                try Landlock.allowChanges(below: [])
            } catch {
                exit(1)
            }
            exit(kill(parent, 0) == -1 && errno == EPERM && kill(getpid(), 0) == 0 ? 7 : 3)
        }
    }

    @Test func `S-34 under the filter threads are made and programs are not`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            do {
                try ProcessFlags.noNewPrivileges()
                try SystemCallFilter().install()
            } catch {
                exit(1)
            }
            var child = pid_t()
            let arguments: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
            guard unsafe posix_spawn(&child, "/bin/true", nil, nil, arguments, nil) != 0 else { exit(2) }
            guard fork() == -1 else { exit(3) }
            let isDone = Flag()
            do { try Thread(name: "another") { isDone.value.store(true, ordering: .releasing) }.join() } catch {
                exit(4)
            }
            exit(isDone.value.load(ordering: .acquiring) ? 7 : 5)
        }
    }

    @Test func `S-13 no core is dumped`() async {
        await #expect(processExitsWith: .exitCode(7)) {
            do { try ProcessFlags.noCoreDumps() } catch { exit(1) }
            var limit = rlimit()
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
            exit(limit.rlim_max == 0 && clinux_prctl(PR_GET_DUMPABLE, 0, 0) == 0 ? 7 : 2)
        }
    }
}

private final class Flag: Sendable {
    let value = Atomic(false)
}

/// Runs a filter as the kernel does.
private struct Interpreter {
    private let program: [SystemCallFilter.Instruction]
    init(_ filter: SystemCallFilter) { program = filter.program }

    /// `arguments` by number; the others are 0.
    func outcome(
        _ call: CInt, _ arguments: [Int: UInt32] = [:], architecture: UInt32 = SystemCallFilter.architecture
    ) -> UInt32? {
        var accumulator: UInt32 = 0
        var place = 0
        while program.indices.contains(place) {
            let step = program[place]
            place += 1
            func jump(_ holds: Bool) { place += Int(holds ? step.ifTrue : step.ifFalse) }
            switch step.code {
            case SystemCallFilter.load:
                accumulator =
                    switch step.operand {
                    case SystemCallFilter.numberOffset: UInt32(call)
                    case SystemCallFilter.architectureOffset: architecture
                    default: arguments[(Int(step.operand) - 16) / 8] ?? 0
                    }
            case SystemCallFilter.and: accumulator &= step.operand
            case SystemCallFilter.jump: place += Int(step.operand)
            case SystemCallFilter.jumpIfEqual: jump(accumulator == step.operand)
            case SystemCallFilter.jumpIfGreater: jump(accumulator > step.operand)
            case SystemCallFilter.returnValue: return step.operand
            default: return nil
            }
        }
        return nil
    }
}
