/* What Swift's Glibc module does not show: the _GNU_SOURCE calls and what its module map leaves out.
 * Declarations and one-line wrappers only; no logic lives here. */
#ifndef CLINUX_H
#define CLINUX_H

/* in.h and if.h first: the linux/ headers otherwise redefine what glibc has. */
#include <netinet/in.h>
#include <net/if.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#include "tun_shim.h"
#include <linux/filter.h>
#include <linux/seccomp.h>

/* struct mmsghdr, which socket.h declares for _GNU_SOURCE only. Same layout (asserted in CLinux.c). */
struct clinux_mmsghdr {
    struct msghdr header;
    unsigned int length;
};

/* recvmmsg(2) and sendmmsg(2), without a timeout. */
int clinux_recvmmsg(int fd, struct clinux_mmsghdr *messages, unsigned int count, int flags);
int clinux_sendmmsg(int fd, struct clinux_mmsghdr *messages, unsigned int count, int flags);

/* epoll_pwait2(2): nanoseconds, and a null timeout to wait for ever. Linux 5.11. */
int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout);

/* Gives the calling thread slices of `nanoseconds`: it is let on earlier, for shorter. Linux 6.12; earlier ones take it and do
 * nothing. Policy and niceness stay. 0, or -1 with errno. */
int clinux_set_slice(unsigned long long nanoseconds);

/* pthread_setname_np(3) for the calling thread. */
int clinux_name_this_thread(const char *name);

/* prctl(2), which is variadic. */
int clinux_prctl(int option, unsigned long second, unsigned long third);

/* capget(2) and capset(2) for the calling thread: bit n is capability n. */
struct clinux_capabilities {
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
};
int clinux_get_capabilities(struct clinux_capabilities *capabilities);
int clinux_set_capabilities(const struct clinux_capabilities *capabilities);

/* landlock_create_ruleset(2) and its like, which glibc does not have. */
int clinux_landlock_version(void);
int clinux_landlock_create(uint64_t handled_access, uint64_t scoped);
int clinux_landlock_add_path(int ruleset, int path, uint64_t allowed_access);
int clinux_landlock_restrict(int ruleset);

/* seccomp(2) for all threads of the process. */
int clinux_filter_all_threads(const struct sock_fprog *program);

/* unshare(CLONE_NEWNET) and setns(2) for the calling thread alone. */
int clinux_unshare_network(void);
int clinux_enter_network(int namespace_fd);

/* prctl(2), which is variadic: a filter for the calling thread's system calls, which it cannot take off again. */
int clinux_filter_system_calls(struct sock_fprog *program);

/* fcntl.h shows it for _GNU_SOURCE only. */
enum clinux_open_flag { CLINUX_O_PATH = 010000000 };

/* linux/udp.h cannot be imported beside netinet/udp.h. */
enum clinux_udp_option {
    CLINUX_UDP_SEGMENT = 103,
    CLINUX_UDP_GRO = 104,
};

#endif
