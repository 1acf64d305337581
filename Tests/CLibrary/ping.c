/* ping PRIVATE-KEY PUBLIC-KEY ADDRESS PORT FROM TO: a WireGuard peer with a UDP socket that sends an ICMP echo request from
 * FROM to TO through the tunnel, and waits for the answer for five seconds. */
#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

static uint64_t moment(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int main(int argc, char **argv) {
    CHECK(argc == 7);
    uint8_t private_key[FBWG_KEY_SIZE], public_key[FBWG_KEY_SIZE], from[4], to[4], packet[84];
    static uint8_t buffer[FBWG_LARGEST];
    CHECK(fbwg_key_from_base64(argv[1], private_key) == FBWG_OK && fbwg_key_from_base64(argv[2], public_key) == FBWG_OK);
    fbwg_endpoint endpoint = {.family = 4, .port = (uint16_t)atoi(argv[4])};
    CHECK(inet_pton(AF_INET, argv[3], endpoint.address) == 1);
    CHECK(inet_pton(AF_INET, argv[5], from) == 1 && inet_pton(AF_INET, argv[6], to) == 1);
    int wire = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(wire >= 0);

    fbwg_peer peer;
    fbwg_tunnel *tunnel = fbwg_create(private_key, 1420, (uint64_t)time(NULL), 0, moment());
    CHECK(tunnel && fbwg_add_peer(tunnel, public_key, NULL, &endpoint, 0, moment(), &peer) == FBWG_OK);
    CHECK(fbwg_send(tunnel, peer, packet, echo_request(packet, sizeof packet, from, to, 7), moment()) == FBWG_STAGED);

    for (uint64_t end = moment() + UINT64_C(5000000000); moment() < end;) {
        fbwg_output output;
        for (;;) {
            CHECK(fbwg_next_output(tunnel, &output, buffer, sizeof buffer) == FBWG_OK);
            if (output.kind == FBWG_OUTPUT_NONE) break;
            if (output.kind == FBWG_OUTPUT_SEND) {
                struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(output.endpoint.port)};
                memcpy(&place.sin_addr, output.endpoint.address, 4);
                CHECK(sendto(wire, buffer, output.length, 0, (struct sockaddr *)&place, sizeof place) >= 0);
            } else if (output.kind == FBWG_OUTPUT_DELIVER && output.length == sizeof packet && buffer[20] == 0) {
                CHECK(memcmp(buffer + 12, to, 4) == 0 && memcmp(buffer + 24, packet + 24, sizeof packet - 24) == 0);
                fbwg_destroy(tunnel);
                puts("ping: answered");
                return 0;
            }
        }
        uint64_t now = moment(), next = fbwg_next_deadline(tunnel);
        struct pollfd waiting = {.fd = wire, .events = POLLIN};
        poll(&waiting, 1, next <= now ? 0 : next - now > 1000000000 ? 1000 : (int)((next - now) / 1000000 + 1));
        if (waiting.revents & POLLIN) {
            struct sockaddr_in place;
            socklen_t size = sizeof place;
            ssize_t length = recvfrom(wire, buffer, sizeof buffer, 0, (struct sockaddr *)&place, &size);
            fbwg_endpoint source = {.family = 4, .port = ntohs(place.sin_port)};
            memcpy(source.address, &place.sin_addr, 4);
            if (length >= 0) CHECK(fbwg_receive(tunnel, buffer, (size_t)length, &source, moment()) >= 0);
        }
        CHECK(fbwg_advance(tunnel, moment()) == FBWG_OK);
    }
    fprintf(stderr, "ping: no answer\n");
    return 1;
}
