import CLinux
import Glibc

/// The system calls of a router that runs: what its own code asks for, and what glibc does for it when it looks up names,
/// makes threads and allocates memory. None starts a program, looks into another process, mounts, loads a module, changes
/// who one is, or sets a clock. Calls that are allowed for one purpose and not for another: `ArgumentRule`.
package enum SystemCalls {
    /// The newest of those that a filter was made with in mind (cachestat).
    static let newest: CInt = 451

    package static let ofARunningRouter =
        files + descriptors + sockets + memory + threads + time + signals + process + legacy

    private static let files = [
        SYS_openat, SYS_openat2, SYS_close, SYS_close_range, SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64,
        SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs,
        SYS_getdents64, SYS_readlinkat, SYS_faccessat, SYS_faccessat2, SYS_ftruncate, SYS_fsync, SYS_fdatasync,
        SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_flock, SYS_umask, SYS_getcwd, SYS_chdir,
    ]

    private static let descriptors = [
        SYS_fcntl, SYS_dup, SYS_dup3, SYS_pipe2, SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl,
        SYS_epoll_pwait, SYS_epoll_pwait2, SYS_eventfd2, SYS_signalfd4, SYS_timerfd_create, SYS_timerfd_settime,
        SYS_timerfd_gettime, SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
    ]

    private static let sockets = [
        SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect, SYS_getsockname,
        SYS_getpeername, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg,
        SYS_setsockopt, SYS_getsockopt, SYS_shutdown,
    ]

    private static let memory = [
        SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mlock, SYS_mlock2, SYS_munlock,
        SYS_membarrier,
    ]

    private static let threads = [
        SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_rseq, SYS_set_tid_address, SYS_exit, SYS_exit_group,
        SYS_sched_yield, SYS_sched_getaffinity, SYS_getpriority, SYS_getcpu,
    ]

    private static let time = [
        SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
    ]

    private static let signals = [
        SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_rt_sigpending,
        SYS_sigaltstack, SYS_restart_syscall,
    ]

    /// About the process itself.
    private static let process = [
        SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups,
        SYS_getresuid, SYS_getresgid, SYS_uname, SYS_sysinfo, SYS_getrandom, SYS_getrlimit, SYS_getrusage,
        SYS_prctl, SYS_capget,
    ]

    #if arch(x86_64)
        /// Those that later architectures do without.
        private static let legacy = [
            SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_unlink, SYS_rename, SYS_mkdir, SYS_rmdir,
            SYS_poll, SYS_select, SYS_epoll_wait, SYS_epoll_create, SYS_pipe, SYS_dup2, SYS_getdents, SYS_time,
            SYS_arch_prctl, SYS_eventfd, SYS_inotify_init,
        ]
    #else
        private static let legacy: [CInt] = []
    #endif
}
