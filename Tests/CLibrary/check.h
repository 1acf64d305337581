/* What both programs need: checks that say where they failed, and IPv4 packets. */
#ifndef CHECK_H
#define CHECK_H

#include "fullbore_wireguard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                    \
        }                                                                               \
    } while (0)

static inline uint16_t internet_checksum(const uint8_t *bytes, size_t count) {
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < count; i += 2) sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    if (count % 2) sum += (uint32_t)bytes[count - 1] << 8;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* An ICMP echo request of `count` bytes from and to IPv4 addresses; returns its length. */
static inline size_t echo_request(uint8_t *packet, size_t count, const uint8_t from[4], const uint8_t to[4], uint16_t sequence) {
    memset(packet, 0, count);
    packet[0] = 0x45;
    packet[2] = (uint8_t)(count >> 8);
    packet[3] = (uint8_t)count;
    packet[8] = 64;
    packet[9] = 1;
    memcpy(packet + 12, from, 4);
    memcpy(packet + 16, to, 4);
    uint16_t sum = internet_checksum(packet, 20);
    packet[10] = (uint8_t)(sum >> 8);
    packet[11] = (uint8_t)sum;
    packet[20] = 8;
    packet[26] = (uint8_t)(sequence >> 8);
    packet[27] = (uint8_t)sequence;
    for (size_t i = 28; i < count; i++) packet[i] = (uint8_t)i;
    sum = internet_checksum(packet + 20, count - 20);
    packet[22] = (uint8_t)(sum >> 8);
    packet[23] = (uint8_t)sum;
    return count;
}

#endif
