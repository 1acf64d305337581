#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/udp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

_Static_assert(sizeof(struct clinux_mmsghdr) == sizeof(struct mmsghdr), "same layout");
_Static_assert(offsetof(struct clinux_mmsghdr, length) == offsetof(struct mmsghdr, msg_len), "same layout");
_Static_assert(CLINUX_O_PATH == O_PATH, "same number");
_Static_assert(CLINUX_UDP_SEGMENT == UDP_SEGMENT && CLINUX_UDP_GRO == UDP_GRO, "same numbers");

int clinux_recvmmsg(int fd, struct clinux_mmsghdr *messages, unsigned int count, int flags) {
    return recvmmsg(fd, (struct mmsghdr *)messages, count, flags, NULL);
}

int clinux_sendmmsg(int fd, struct clinux_mmsghdr *messages, unsigned int count, int flags) {
    return sendmmsg(fd, (struct mmsghdr *)messages, count, flags);
}

int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout) {
    return epoll_pwait2(epoll, events, capacity, timeout, NULL);
}

int clinux_set_slice(unsigned long long nanoseconds) {
    /* struct sched_attr in its first version (include/uapi/linux/sched/types.h), which libc has only lately. */
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return -1;
    attributes.runtime = nanoseconds;
    return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

int clinux_name_this_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

int clinux_unshare_network(void) { return unshare(CLONE_NEWNET); }

int clinux_enter_network(int namespace_fd) { return setns(namespace_fd, CLONE_NEWNET); }

int clinux_filter_system_calls(struct sock_fprog *program) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) : -1;
}

int clinux_prctl(int option, unsigned long second, unsigned long third) { return prctl(option, second, third, 0, 0); }

int clinux_get_capabilities(struct clinux_capabilities *capabilities) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) != 0) return -1;
    capabilities->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    capabilities->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    capabilities->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int clinux_set_capabilities(const struct clinux_capabilities *capabilities) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    for (int half = 0; half < 2; half++) {
        data[half].effective = (uint32_t)(capabilities->effective >> 32 * half);
        data[half].permitted = (uint32_t)(capabilities->permitted >> 32 * half);
        data[half].inheritable = (uint32_t)(capabilities->inheritable >> 32 * half);
    }
    return (int)syscall(SYS_capset, &header, data);
}

/* linux/landlock.h of Debian 12 knows the first rights only. A kernel takes a longer structure as long as what it does not
 * know is zero. */
int clinux_landlock_create(uint64_t handled_access, uint64_t scoped) {
    struct {
        uint64_t files, network, scoped;
    } handled = {handled_access, 0, scoped};
    return (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
}

int clinux_landlock_version(void) {
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
}

int clinux_landlock_add_path(int ruleset, int path, uint64_t allowed_access) {
    struct {
        uint64_t allowed_access;
        int32_t parent;
    } __attribute__((packed)) rule = {allowed_access, path};
    return (int)syscall(SYS_landlock_add_rule, ruleset, 1 /* a path */, &rule, 0);
}

int clinux_landlock_restrict(int ruleset) { return (int)syscall(SYS_landlock_restrict_self, ruleset, 0); }

int clinux_filter_all_threads(const struct sock_fprog *program) {
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program);
    if (result <= 0) return (int)result;
    errno = ESRCH; /* the number of a thread that has another filter: none has this one */
    return -1;
}
