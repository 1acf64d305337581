import CLinux
import Glibc

/// A system call that is let through for some values of an argument alone: it is needed for one thing, and good
/// for others. Where a call has several rules all have to hold.
package struct ArgumentRule: Sendable {
    let call: CInt
    let argument: Int
    /// The bits of the argument that count. Of its lower half: nothing of what these calls are asked stands in the upper one.
    var mask: UInt32 = .max
    /// What these bits may be, or may not be where `isForbidden`.
    let values: [UInt32]
    var isForbidden = false
    /// What a refused call fails with.
    var refusal: CInt = EPERM

    private static let execute = UInt32(PROT_EXEC)
    private static let writeAndExecute = UInt32(PROT_WRITE | PROT_EXEC)
    private static let thread: UInt32 = 0x0001_0000  // CLONE_THREAD
    /// Puts characters into a terminal as if somebody had typed them, and so commands into the shell that a router was
    /// started from.
    private static let typing: [UInt32] = [UInt32(TIOCSTI), 0x541c]  // the second is TIOCLINUX
    /// The mode of a socket of its own (UnixSocket). Landlock does not look at modes: a file of root's could be made one
    /// that everybody may write, or runs as root.
    private static let socketMode: UInt32 = 0o700
    private static let families = [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK].map { UInt32($0) }

    package static var ofARunningRouter: [ArgumentRule] {
        [
            // Threads, but no processes.
            ArgumentRule(call: SYS_clone, argument: 0, mask: thread, values: [thread]),
            // Signals, limits and priorities are its own affair alone. Root may touch all of root's without any capability.
            ArgumentRule(call: SYS_tgkill, argument: 0, values: [UInt32(getpid())]),
            ArgumentRule(call: SYS_prlimit64, argument: 0, values: [0, UInt32(getpid())]),
            ArgumentRule(call: SYS_sched_setaffinity, argument: 0, values: [0]),
            ArgumentRule(call: SYS_sched_getattr, argument: 0, values: [0]),
            ArgumentRule(call: SYS_sched_setattr, argument: 0, values: [0]),
            ArgumentRule(call: SYS_setpriority, argument: 0, values: [UInt32(PRIO_PROCESS.rawValue)]),
            ArgumentRule(call: SYS_setpriority, argument: 1, values: [0]),
            ArgumentRule(call: SYS_ioctl, argument: 1, values: typing, isForbidden: true),
            ArgumentRule(call: SYS_fchmod, argument: 1, values: [socketMode]),
            // Libraries for names are mapped to be executed, but nothing that was written is.
            ArgumentRule(
                call: SYS_mmap, argument: 2, mask: writeAndExecute, values: [writeAndExecute], isForbidden: true),
            ArgumentRule(call: SYS_mprotect, argument: 2, mask: execute, values: [execute], isForbidden: true),
            // As where the kernel has no others.
            ArgumentRule(call: SYS_socket, argument: 0, values: families, refusal: EAFNOSUPPORT),
            ArgumentRule(call: SYS_socketpair, argument: 0, values: [UInt32(AF_UNIX)], refusal: EAFNOSUPPORT),
        ]
    }
}
