/* Two tunnels in one C program: handshakes, data, keepalives, a new session, forgeries, and everything that may go wrong. */
#include "check.h"

#define SECOND UINT64_C(1000000000)

struct end {
    fbwg_tunnel *tunnel;
    fbwg_peer other;
    fbwg_endpoint address;
    /* What came out of it last, and how often what. */
    uint8_t packet[FBWG_LARGEST];
    size_t length;
    unsigned delivered, sent, initiated, accepted;
};

static uint8_t buffer[FBWG_LARGEST];
static uint64_t now = 1000 * SECOND;
static const uint8_t ten_one[4] = {10, 0, 0, 1}, ten_two[4] = {10, 0, 0, 2};

static fbwg_endpoint address(uint8_t last) {
    return (fbwg_endpoint){.family = 4, .address = {192, 0, 2, last}, .port = 51820};
}

/* Carries what waits at either end, until there is nothing more; `spoil` alters each datagram. */
static void carry(struct end *ends, int spoil) {
    for (int busy = 1; busy;) {
        busy = 0;
        for (int side = 0; side < 2; side++) {
            struct end *from = &ends[side], *to = &ends[1 - side];
            fbwg_output output;
            CHECK(fbwg_next_output(from->tunnel, &output, buffer, sizeof buffer) == FBWG_OK);
            if (output.kind == FBWG_OUTPUT_NONE) continue;
            busy = 1;
            if (output.kind == FBWG_OUTPUT_SEND) {
                from->sent++;
                CHECK(memcmp(output.endpoint.address, to->address.address, 4) == 0 && output.endpoint.port == 51820);
                if (spoil) buffer[output.length - 1] ^= 1;
                fbwg_result result = fbwg_receive(to->tunnel, buffer, output.length, &from->address, now);
                CHECK(result == (spoil ? FBWG_DROPPED : FBWG_OK));
            } else if (output.kind == FBWG_OUTPUT_DELIVER) {
                CHECK(output.peer == from->other);
                from->delivered++;
                from->length = output.length;
                memcpy(from->packet, buffer, output.length);
            } else if (output.event == FBWG_EVENT_SESSION_INITIATED) {
                from->initiated++;
            } else if (output.event == FBWG_EVENT_SESSION_ACCEPTED) {
                from->accepted++;
            }
        }
    }
}

static void make(struct end *ends, const uint8_t *preshared_key) {
    uint8_t private_keys[2][FBWG_KEY_SIZE], public_keys[2][FBWG_KEY_SIZE];
    memset(ends, 0, 2 * sizeof *ends);
    for (int side = 0; side < 2; side++) {
        CHECK(fbwg_generate_private_key(private_keys[side]) == FBWG_OK);
        CHECK(fbwg_public_key(private_keys[side], public_keys[side]) == FBWG_OK);
        ends[side].tunnel = fbwg_create(private_keys[side], 1420, 1700000000, 0, now);
        CHECK(ends[side].tunnel);
        ends[side].address = address((uint8_t)(side + 1));
    }
    for (int side = 0; side < 2; side++)
        CHECK(fbwg_add_peer(ends[side].tunnel, public_keys[1 - side], preshared_key, side ? NULL : &ends[1].address, 0, now,
                  &ends[side].other) == FBWG_OK);
}

static void end(struct end *ends) {
    for (int side = 0; side < 2; side++) fbwg_destroy(ends[side].tunnel);
}

static uint64_t drops(fbwg_tunnel *tunnel, const char *reason) {
    const char *name;
    uint64_t count;
    for (uint32_t number = 0; fbwg_get_drops(tunnel, number, &name, &count) == FBWG_OK; number++)
        if (strcmp(name, reason) == 0) return count;
    CHECK(!"a reason of this name");
    return 0;
}

static void talk(const uint8_t *preshared_key) {
    static struct end ends[2];
    uint8_t packet[1400];
    fbwg_peer_status status;
    make(ends, preshared_key);

    /* There and back, through a handshake. */
    size_t length = echo_request(packet, sizeof packet, ten_one, ten_two, 1);
    CHECK(fbwg_send(ends[1].tunnel, ends[1].other, packet, length, now) == FBWG_ERROR_NO_ENDPOINT);
    CHECK(fbwg_send(ends[0].tunnel, ends[0].other, packet, length, now) == FBWG_STAGED);
    carry(ends, 0);
    CHECK(ends[1].delivered == 1 && ends[1].length == length && memcmp(ends[1].packet, packet, length) == 0);
    CHECK(ends[0].initiated == 1 && ends[1].accepted == 1);
    length = echo_request(packet, 84, ten_two, ten_one, 2);
    CHECK(fbwg_send(ends[1].tunnel, ends[1].other, packet, length, now) == FBWG_OK);
    carry(ends, 0);
    CHECK(ends[0].delivered == 1 && ends[0].length == 84 && memcmp(ends[0].packet, packet, 84) == 0);
    CHECK(fbwg_get_peer_status(ends[0].tunnel, ends[0].other, &status) == FBWG_OK);
    CHECK(status.has_session && status.last_handshake == 1700000000 && status.endpoint.port == 51820);
    CHECK(status.has_preshared_key == (preshared_key != NULL));
    CHECK(status.bytes_sent == 148 + 1408 + 32 && status.bytes_received == 92 + 96 + 32);

    /* A keepalive every 25 s, of which the program hears by the deadline alone. */
    CHECK(fbwg_set_persistent_keepalive(ends[0].tunnel, ends[0].other, 25, now) == FBWG_OK);
    carry(ends, 0);
    unsigned before = ends[0].sent;
    for (uint64_t until = now + 101 * SECOND; now < until;) {
        uint64_t next = UINT64_MAX;
        for (int side = 0; side < 2; side++) {
            uint64_t deadline = fbwg_next_deadline(ends[side].tunnel);
            if (deadline < next) next = deadline;
        }
        now = next > now ? (next < until ? next : until) : now + 1;
        for (int side = 0; side < 2; side++) CHECK(fbwg_advance(ends[side].tunnel, now) == FBWG_OK);
        carry(ends, 0);
    }
    CHECK(ends[0].sent - before == 4);

    /* A forgery changes nothing, a replay neither. */
    length = echo_request(packet, 100, ten_one, ten_two, 3);
    CHECK(fbwg_send(ends[0].tunnel, ends[0].other, packet, length, now) == FBWG_OK);
    carry(ends, 1);
    CHECK(ends[1].delivered == 1 && drops(ends[1].tunnel, "forged") == 1);

    /* A new session after 120 s of life. */
    now += 30 * SECOND;
    length = echo_request(packet, 100, ten_one, ten_two, 4);
    CHECK(fbwg_send(ends[0].tunnel, ends[0].other, packet, length, now) == FBWG_OK);
    carry(ends, 0);
    CHECK(ends[0].initiated == 2 && ends[1].delivered == 2);

    /* After sleep nothing of before is used. */
    CHECK(fbwg_forget_sessions(ends[0].tunnel, now) == FBWG_OK);
    now += 6 * SECOND;
    CHECK(fbwg_send(ends[0].tunnel, ends[0].other, packet, length, now) == FBWG_STAGED);
    carry(ends, 0);
    CHECK(ends[0].initiated == 3 && ends[1].delivered == 3);

    /* A peer that is gone. */
    CHECK(fbwg_remove_peer(ends[0].tunnel, ends[0].other) == FBWG_OK);
    CHECK(fbwg_send(ends[0].tunnel, ends[0].other, packet, length, now) == FBWG_ERROR_UNKNOWN_PEER);
    CHECK(fbwg_remove_peer(ends[0].tunnel, ends[0].other) == FBWG_ERROR_UNKNOWN_PEER);
    end(ends);
}

static void refuse(void) {
    static struct end ends[2];
    fbwg_output output;
    fbwg_peer peer;
    uint8_t key[FBWG_KEY_SIZE], packet[100], private_key[FBWG_KEY_SIZE] = {1};
    char text[FBWG_KEY_TEXT_SIZE];
    const char *name;
    uint64_t count;
    make(ends, NULL);
    fbwg_tunnel *tunnel = ends[0].tunnel;
    fbwg_endpoint nowhere = {.family = 5};

    CHECK(!fbwg_create(NULL, 1420, 0, 0, 0));
    fbwg_destroy(NULL);
    CHECK(fbwg_generate_private_key(NULL) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_generate_preshared_key(NULL) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_public_key(NULL, key) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_key_from_base64("AAAA", key) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_key_from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", key) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_key_from_base64(NULL, key) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_key_from_base64("wvGdoR1cXXTy37H/d5PcQN3c+yPXA9Iknw29ypAsW2s=", key) == FBWG_OK);
    CHECK(fbwg_key_to_base64(key, text) == FBWG_OK && strcmp(text, "wvGdoR1cXXTy37H/d5PcQN3c+yPXA9Iknw29ypAsW2s=") == 0);

    CHECK(fbwg_add_peer(NULL, key, NULL, NULL, 0, now, &peer) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_add_peer(tunnel, NULL, NULL, NULL, 0, now, &peer) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_add_peer(tunnel, key, NULL, &nowhere, 0, now, &peer) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_add_peer(tunnel, key, NULL, NULL, 0, now, NULL) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_add_peer(tunnel, key, NULL, NULL, 0, now, &peer) == FBWG_OK);
    CHECK(fbwg_add_peer(tunnel, key, NULL, NULL, 0, now, &peer) == FBWG_ERROR_DUPLICATE_PEER);
    fbwg_tunnel *own = fbwg_create(private_key, 0, 0, 0, 0);
    CHECK(fbwg_public_key(private_key, key) == FBWG_OK);
    CHECK(fbwg_add_peer(own, key, NULL, NULL, 0, now, &peer) == FBWG_ERROR_OWN_KEY);
    fbwg_destroy(own);

    size_t length = echo_request(packet, sizeof packet, ten_one, ten_two, 1);
    CHECK(fbwg_send(tunnel, 0, packet, length, now) == FBWG_ERROR_UNKNOWN_PEER);
    CHECK(fbwg_send(tunnel, ends[1].other, packet, length, now) == FBWG_ERROR_UNKNOWN_PEER);
    CHECK(fbwg_send(tunnel, ends[0].other, NULL, 5, now) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_send(tunnel, ends[0].other, packet, 99, now) == FBWG_ERROR_MALFORMED_PACKET);
    CHECK(fbwg_receive(tunnel, NULL, 3, &ends[1].address, now) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_receive(tunnel, packet, 3, &nowhere, now) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_receive(tunnel, NULL, 0, &ends[1].address, now) == FBWG_DROPPED);
    CHECK(fbwg_receive(tunnel, packet, sizeof packet, &ends[1].address, now) == FBWG_DROPPED);
    CHECK(drops(tunnel, "not-wireguard") == 2);
    CHECK(fbwg_get_drops(tunnel, UINT32_MAX, &name, &count) == FBWG_ERROR_ARGUMENT);
    CHECK(fbwg_next_deadline(NULL) == UINT64_MAX);

    /* A buffer that is too small loses nothing. */
    CHECK(fbwg_send(tunnel, ends[0].other, packet, length, now) == FBWG_STAGED);
    CHECK(fbwg_next_output(tunnel, &output, NULL, 1000) == FBWG_ERROR_BUFFER_TOO_SMALL && output.length == 148);
    CHECK(fbwg_next_output(tunnel, &output, buffer, 147) == FBWG_ERROR_BUFFER_TOO_SMALL && output.length == 148);
    CHECK(fbwg_next_output(tunnel, &output, buffer, 148) == FBWG_OK && output.kind == FBWG_OUTPUT_SEND && buffer[0] == 1);
    CHECK(fbwg_next_output(tunnel, &output, buffer, 148) == FBWG_OK && output.kind == FBWG_OUTPUT_NONE);
    for (int result = -20; result < 20; result++) CHECK(strlen(fbwg_result_text((fbwg_result)result)) > 0);
    end(ends);
}

int main(void) {
    uint8_t preshared_key[FBWG_KEY_SIZE];
    CHECK(fbwg_version() >= FBWG_VERSION);
    CHECK(fbwg_generate_preshared_key(preshared_key) == FBWG_OK);
    talk(NULL);
    talk(preshared_key);
    refuse();
    puts("talk: all checks hold");
    return 0;
}
