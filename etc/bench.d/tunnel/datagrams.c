// datagrams: UDP packets one by one, without segmentation offload, and how many of them arrive. Both ends cost as little as
// the sockets allow, since they share the machine with what is measured.
//
//   datagrams send ADDRESS PORT BYTES RATE SECONDS    IP packets of BYTES, RATE a second; prints how many were sent
//   datagrams receive PORT                            until SIGTERM; prints how many came, and how many of those after a later one
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    batch = 64, // packets a system call
    pause_ns = 200 * 1000, // when the sender is ahead of its rate
    longest = 1500,
    receive_buffer = 16 << 20, // no loss at this end: what is missing was lost on the way
    udp_header = 8,
};

static void require(bool fine, const char *what) {
    if (fine) return;
    perror(what);
    exit(1);
}

static struct mmsghdr messages[batch];
static struct iovec slices[batch];
static char bytes[batch][longest];

static void prepare(size_t length) {
    for (int i = 0; i < batch; i++) {
        slices[i] = (struct iovec){.iov_base = bytes[i], .iov_len = length};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &slices[i], .msg_iovlen = 1};
    }
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

// Each packet begins with its number.
static void send_at(const char *address, uint16_t port, size_t packet, double rate, double seconds) {
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
    require(is_six || inet_pton(AF_INET, address, &four.sin_addr) == 1, "address");
    size_t headers = (is_six ? 40 : 20) + udp_header;
    require(packet >= headers + sizeof(uint64_t) && packet <= longest, "bytes");
    prepare(packet - headers);
    int descriptor = socket(is_six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    require(descriptor >= 0, "socket");
    require(connect(descriptor, is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four, is_six ? sizeof six : sizeof four) == 0, "connect");

    uint64_t sent = 0;
    int64_t start = now(), passed;
    while ((passed = now() - start) < seconds * 1e9) {
        if (passed * 1e-9 * rate < sent + batch) {
            nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
            continue;
        }
        for (int i = 0; i < batch; i++) memcpy(bytes[i], &(uint64_t){sent + i}, sizeof(uint64_t));
        int taken = sendmmsg(descriptor, messages, batch, 0);
        require(taken > 0 || errno == ENOBUFS || errno == ECONNREFUSED, "sendmmsg");
        if (taken > 0) sent += taken;
    }
    printf("{\"sent\": %llu, \"seconds\": %.3f}\n", (unsigned long long)sent, passed * 1e-9);
}

static volatile sig_atomic_t ended;
static void end(int signal) { (void)signal; ended = 1; }

static void receive(uint16_t port) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sigaction action = {.sa_handler = end};
    require(sigaction(SIGTERM, &action, NULL) == 0, "sigaction");
    int descriptor = socket(AF_INET6, SOCK_DGRAM, 0);
    require(descriptor >= 0, "socket");
    require(setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)) == 0, "IPV6_V6ONLY");
    require(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &(int){receive_buffer}, sizeof(int)) == 0, "SO_RCVBUFFORCE");
    require(setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = 50000}, sizeof(struct timeval)) == 0, "SO_RCVTIMEO");
    require(bind(descriptor, (struct sockaddr *)&any, sizeof any) == 0, "bind");
    prepare(longest);

    uint64_t received = 0, late = 0, next = 0;
    while (!ended) {
        int count = recvmmsg(descriptor, messages, batch, MSG_WAITFORONE, NULL);
        require(count > 0 || errno == EAGAIN || errno == EINTR, "recvmmsg");
        for (int i = 0; i < count; i++) {
            uint64_t number;
            memcpy(&number, bytes[i], sizeof number);
            if (number < next) late++; else next = number + 1;
        }
        if (count > 0) received += count;
    }
    printf("{\"received\": %llu, \"late\": %llu}\n", (unsigned long long)received, (unsigned long long)late);
}

int main(int count, char **arguments) {
    if (count == 7 && !strcmp(arguments[1], "send"))
        send_at(arguments[2], atoi(arguments[3]), strtoul(arguments[4], NULL, 10), atof(arguments[5]), atof(arguments[6]));
    else if (count == 3 && !strcmp(arguments[1], "receive"))
        receive(atoi(arguments[2]));
    else
        return 64;
    return 0;
}
