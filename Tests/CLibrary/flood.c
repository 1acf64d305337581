/* flood PUBLIC-KEY ADDRESS PORT RATE SECONDS valid|bad: sends RATE initiations a second from forged addresses in 10.66.0.0/16 to
 * a WireGuard peer. Valid ones have a mac1 that the peer's public key makes, and are all there is to be known of it. */
#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>

enum { INITIATION = 148, KINDS = 256, BATCH = 64 };

struct datagram {
    struct iphdr ip;
    struct udphdr udp;
    uint8_t message[INITIATION];
} __attribute__((packed));

static uint8_t initiations[KINDS][INITIATION];

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Strangers' initiations, as a real implementation makes them. */
static void make_valid(const uint8_t *public_key, const fbwg_endpoint *target) {
    for (int kind = 0; kind < KINDS; kind++) {
        uint8_t key[FBWG_KEY_SIZE];
        fbwg_peer peer;
        fbwg_output output;
        CHECK(fbwg_generate_private_key(key) == FBWG_OK);
        fbwg_tunnel *tunnel = fbwg_create(key, 1420, (uint64_t)time(NULL), 0, 1);
        CHECK(fbwg_add_peer(tunnel, public_key, NULL, target, 0, 1, &peer) == FBWG_OK);
        CHECK(fbwg_send_keepalive(tunnel, peer, 1) == FBWG_OK);
        CHECK(fbwg_next_output(tunnel, &output, initiations[kind], INITIATION) == FBWG_OK);
        CHECK(output.kind == FBWG_OUTPUT_SEND && output.length == INITIATION);
        fbwg_destroy(tunnel);
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 7);
    uint8_t public_key[FBWG_KEY_SIZE];
    CHECK(fbwg_key_from_base64(argv[1], public_key) == FBWG_OK);
    fbwg_endpoint target = {.family = 4, .port = (uint16_t)atoi(argv[3])};
    CHECK(inet_pton(AF_INET, argv[2], target.address) == 1);
    double rate = atof(argv[4]), length = atof(argv[5]);
    if (strcmp(argv[6], "valid") == 0) {
        make_valid(public_key, &target);
    } else {
        for (int kind = 0; kind < KINDS; kind++) {
            for (int i = 0; i < INITIATION; i++) initiations[kind][i] = (uint8_t)rand();
            memcpy(initiations[kind], (uint8_t[]){1, 0, 0, 0}, 4);
        }
    }

    int wire = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    CHECK(wire >= 0);
    static struct datagram datagrams[BATCH];
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    struct sockaddr_in place = {.sin_family = AF_INET};
    memcpy(&place.sin_addr, target.address, 4);
    for (int i = 0; i < BATCH; i++) {
        datagrams[i].ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
        datagrams[i].ip.tot_len = htons(sizeof(struct datagram));
        memcpy(&datagrams[i].ip.daddr, target.address, 4);
        datagrams[i].udp = (struct udphdr){.uh_dport = htons(target.port), .uh_ulen = htons(8 + INITIATION)};
        parts[i] = (struct iovec){&datagrams[i], sizeof(struct datagram)};
        messages[i].msg_hdr = (struct msghdr){&place, sizeof place, &parts[i], 1, NULL, 0, 0};
    }

    uint64_t sent = 0;
    double start = seconds(), now = start;
    while (now - start < length) {
        /* As many as are due, in batches; what the machine does not manage is not made up for later than a batch. */
        double due = (now - start) * rate - (double)sent;
        if (due < BATCH) {
            nanosleep(&(struct timespec){0, 200000}, NULL);
        } else {
            for (int i = 0; i < BATCH; i++) {
                uint32_t number = (uint32_t)rand();
                datagrams[i].ip.saddr = htonl(0x0a420000u | (number & 0xffffu));
                datagrams[i].udp.uh_sport = htons((uint16_t)(1024 + (number >> 16) % 60000));
                memcpy(datagrams[i].message, initiations[number % KINDS], INITIATION);
            }
            int count = sendmmsg(wire, messages, BATCH, 0);
            if (count > 0) sent += (uint64_t)count;
        }
        now = seconds();
    }
    printf("%.0f\n", (double)sent / (now - start));
    return 0;
}
