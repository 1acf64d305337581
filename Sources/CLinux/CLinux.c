#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/udp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>

_Static_assert(sizeof(struct clinux_mmsghdr) == sizeof(struct mmsghdr), "same layout");
_Static_assert(offsetof(struct clinux_mmsghdr, length) == offsetof(struct mmsghdr, msg_len), "same layout");
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

int clinux_name_this_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

int clinux_unshare_network(void) { return unshare(CLONE_NEWNET); }

int clinux_enter_network(int namespace_fd) { return setns(namespace_fd, CLONE_NEWNET); }

int clinux_filter_system_calls(struct sock_fprog *program) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) : -1;
}
