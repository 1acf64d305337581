import CLinux
import Glibc

/// What a process may say of itself once and for all.
package enum ProcessFlags {
    /// No program that it starts has more than it has itself. Landlock and seccomp ask for it.
    package static func noNewPrivileges() throws(Errno) {
        try Errno.check(clinux_prctl(PR_SET_NO_NEW_PRIVS, 1, 0), "PR_SET_NO_NEW_PRIVS")
    }

    /// Its memory, and so its secrets, goes into no core dump, and only root may look at it (S-13).
    package static func noCoreDumps() throws(Errno) {
        try Errno.check(clinux_prctl(PR_SET_DUMPABLE, 0, 0), "PR_SET_DUMPABLE")
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        try Errno.check(unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none), "RLIMIT_CORE")
    }

    /// Lets as much memory be locked as the process may allow itself; how many bytes that are.
    package static func raiseMemoryLock() -> UInt64 {
        let resource = __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue)
        var unlimited = rlimit(rlim_cur: .max, rlim_max: .max)
        guard unsafe setrlimit(resource, &unlimited) != 0 else { return .max }
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(resource, &limit)
        return UInt64(limit.rlim_max)
    }
}
