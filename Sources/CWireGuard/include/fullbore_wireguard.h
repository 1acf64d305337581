/* WireGuard for C programs: one end of tunnels to any number of peers.
 *
 * A tunnel does no I/O, reads no clock, has no threads and never calls back. The program gives it IP packets for a peer
 * (fbwg_send), datagrams from its socket (fbwg_receive) and moments (fbwg_advance when fbwg_next_deadline has come), and
 * takes what is to be done after each of these with fbwg_next_output until there is nothing more.
 *
 * Threads: a tunnel is used by one thread at a time, whichever that is. Two tunnels have nothing to do with each other.
 *
 * Moments (`now`) are nanoseconds on a clock that never goes back and counts on while the machine sleeps, CLOCK_BOOTTIME on
 * Linux; a moment before the latest one counts as that one.
 *
 * Memory: what is passed in is copied or read before the call returns, and belongs to the caller. Keys are 32 bytes; the
 * caller wipes its copies of secret ones.
 *
 * Bad arguments are errors, never a crash, as far as a function can see: NULL where that is not allowed, a handle of a peer
 * that is gone. A tunnel that was destroyed, and memory that is not there, it cannot see.
 *
 * A tunnel knows peers, not allowed IPs: which peer a packet goes to, and which source addresses a peer may use in what it
 * sends, is for the program to say. A program that passes on packets without looking lets any peer speak for any other.
 */
#ifndef FULLBORE_WIREGUARD_H
#define FULLBORE_WIREGUARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. What fbwg_version returns is at least this in a library that the program may use. */
#define FBWG_VERSION 1

#define FBWG_KEY_SIZE 32
/* Characters of a key in base64, as `wg` prints it, with the zero behind them. */
#define FBWG_KEY_TEXT_SIZE 45
/* The longest datagram or packet in bytes: a buffer of this size always does for fbwg_next_output. */
#define FBWG_LARGEST 65535

/* One end of tunnels. */
typedef struct fbwg_tunnel fbwg_tunnel;

/* A peer of a tunnel: unique in a process, never 0, never given again. */
typedef uint64_t fbwg_peer;

/* What became of a call. */
typedef enum fbwg_result {
    FBWG_OK = 0,
    /* fbwg_send: there is no session yet, a handshake is under way, and the packet waits for it. */
    FBWG_STAGED = 1,
    /* fbwg_receive: the datagram was not taken; the tunnel's drop counters tell why. Nothing has changed. */
    FBWG_DROPPED = 2,
    /* NULL where that is not allowed, or a value that cannot be. */
    FBWG_ERROR_ARGUMENT = -1,
    /* The peer was removed, or is another tunnel's. */
    FBWG_ERROR_UNKNOWN_PEER = -2,
    /* A peer with this public key is there already. */
    FBWG_ERROR_DUPLICATE_PEER = -3,
    /* The public key is the tunnel's own. */
    FBWG_ERROR_OWN_KEY = -4,
    /* There are as many peers as a tunnel takes: 2^20. */
    FBWG_ERROR_TOO_MANY_PEERS = -5,
    /* Nobody knows yet where the peer is. */
    FBWG_ERROR_NO_ENDPOINT = -6,
    /* Neither an IPv4 nor an IPv6 packet, or one that is not all there. */
    FBWG_ERROR_MALFORMED_PACKET = -7,
    /* A packet of more than 65,475 bytes. */
    FBWG_ERROR_PACKET_TOO_LARGE = -8,
    /* Too many outputs (4096) wait to be taken. */
    FBWG_ERROR_OUTPUTS_NOT_TAKEN = -9,
    /* fbwg_next_output: the buffer is smaller than the output's length, which is told; the output waits. */
    FBWG_ERROR_BUFFER_TOO_SMALL = -10
} fbwg_result;

/* A UDP address. */
typedef struct fbwg_endpoint {
    /* 4 or 6. */
    uint8_t family;
    /* In network order; of IPv4 the first four bytes. */
    uint8_t address[16];
    /* In host order. */
    uint16_t port;
    /* The interface index that a link-local IPv6 address needs, else 0. */
    uint32_t scope;
} fbwg_endpoint;

typedef enum fbwg_output_kind {
    /* There is nothing (more) to do. */
    FBWG_OUTPUT_NONE = 0,
    /* Send the buffer's `length` bytes to `endpoint` as one UDP datagram. */
    FBWG_OUTPUT_SEND = 1,
    /* The buffer's `length` bytes are an IP packet that came from `peer`, its padding cut off. */
    FBWG_OUTPUT_DELIVER = 2,
    /* Something has changed with `peer`. */
    FBWG_OUTPUT_EVENT = 3
} fbwg_output_kind;

typedef enum fbwg_event {
    FBWG_EVENT_NONE = 0,
    /* A session stands; this side began the handshake, or the other did. */
    FBWG_EVENT_SESSION_INITIATED = 1,
    FBWG_EVENT_SESSION_ACCEPTED = 2,
    /* Nobody answered for 90 s; what waited for the peer is dropped. */
    FBWG_EVENT_HANDSHAKE_GIVEN_UP = 3,
    /* An authentic message came from another address, `endpoint`; the peer is answered there from now on. */
    FBWG_EVENT_ENDPOINT_CHANGED = 4,
    /* No new session for 540 s: the old ones' keys are wiped. */
    FBWG_EVENT_KEYS_WIPED = 5,
    /* The peer's clock is more than ten minutes ahead of ours. */
    FBWG_EVENT_CLOCK_FAR_AHEAD = 6
} fbwg_event;

/* Something for the program to do. What a kind does not use is 0. */
typedef struct fbwg_output {
    fbwg_output_kind kind;
    fbwg_event event;
    size_t length;
    fbwg_peer peer;
    fbwg_endpoint endpoint;
} fbwg_output;

/* How a peer stands. */
typedef struct fbwg_peer_status {
    /* Where its datagrams go; family 0 while nobody knows. */
    fbwg_endpoint endpoint;
    /* When a handshake last came to its end, in seconds since 1970; 0 for never. */
    uint64_t last_handshake;
    /* UDP payload bytes of authentic messages from the peer, and of messages to it. */
    uint64_t bytes_received;
    uint64_t bytes_sent;
    /* Packets that wait for a session. */
    uint32_t packets_staged;
    /* Seconds; 0 is off. */
    uint16_t persistent_keepalive;
    /* 1 when there is a session that may be sent with. */
    uint8_t has_session;
    uint8_t has_preshared_key;
} fbwg_peer_status;

/* The version of the library that the program runs with. */
uint32_t fbwg_version(void);

/* A clause in English about a result, for a log. Never NULL, and never to be freed. */
const char *fbwg_result_text(fbwg_result result);

/* ---- Keys */

/* A new private key (clamped, RFC 7748 section 5), or a new preshared key, from the system's randomness. */
fbwg_result fbwg_generate_private_key(uint8_t key[FBWG_KEY_SIZE]);
fbwg_result fbwg_generate_preshared_key(uint8_t key[FBWG_KEY_SIZE]);

/* The public key that belongs to a private one. */
fbwg_result fbwg_public_key(const uint8_t private_key[FBWG_KEY_SIZE], uint8_t public_key[FBWG_KEY_SIZE]);

/* A key from and to 44 characters of base64 and a zero. FBWG_ERROR_ARGUMENT for a text that is not exactly one key. */
fbwg_result fbwg_key_from_base64(const char *text, uint8_t key[FBWG_KEY_SIZE]);
fbwg_result fbwg_key_to_base64(const uint8_t key[FBWG_KEY_SIZE], char text[FBWG_KEY_TEXT_SIZE]);

/* ---- A tunnel */

/* A tunnel without peers, to be destroyed; NULL for bad arguments.
 *
 * mtu: of the way inside the tunnel, in bytes; packets are padded to multiples of 16, but never beyond it. 1420 suits most,
 * 0 sets no limit.
 * date_seconds, date_nanoseconds: the date at `now`, since 1970 (UTC). The tunnel counts on from there. */
fbwg_tunnel *fbwg_create(
    const uint8_t private_key[FBWG_KEY_SIZE], uint16_t mtu, uint64_t date_seconds, uint32_t date_nanoseconds, uint64_t now);

/* Ends a tunnel and wipes its keys. NULL does nothing. */
void fbwg_destroy(fbwg_tunnel *tunnel);

/* Says what date it is, when the system's clock was set. */
fbwg_result fbwg_set_date(fbwg_tunnel *tunnel, uint64_t seconds, uint32_t nanoseconds, uint64_t now);

/* Forgets all sessions: after the machine was suspended for longer than a session lives, or is a copy of one that goes on
 * elsewhere. Peers and what waits for them stay. */
fbwg_result fbwg_forget_sessions(fbwg_tunnel *tunnel, uint64_t now);

/* ---- Peers */

/* Adds a peer; its handle goes to *peer.
 *
 * preshared_key: NULL or zeros for none. endpoint: where it is to be found before it has been heard of, NULL when it is the
 * one that begins. persistent_keepalive: seconds, 0 for never. */
fbwg_result fbwg_add_peer(
    fbwg_tunnel *tunnel, const uint8_t public_key[FBWG_KEY_SIZE], const uint8_t *preshared_key,
    const fbwg_endpoint *endpoint, uint16_t persistent_keepalive, uint64_t now, fbwg_peer *peer);

/* Forgets a peer, wipes its keys and drops what waits for it. Outputs that are there stay. */
fbwg_result fbwg_remove_peer(fbwg_tunnel *tunnel, fbwg_peer peer);

/* Sends to the peer there from now on, until it is heard from elsewhere. */
fbwg_result fbwg_set_endpoint(fbwg_tunnel *tunnel, fbwg_peer peer, const fbwg_endpoint *endpoint, uint64_t now);

/* The next handshake uses the key, NULL or zeros for none; the session goes on. */
fbwg_result fbwg_set_preshared_key(fbwg_tunnel *tunnel, fbwg_peer peer, const uint8_t *preshared_key);

/* Seconds, 0 for never. Switched on, the first keepalive goes out at once. */
fbwg_result fbwg_set_persistent_keepalive(fbwg_tunnel *tunnel, fbwg_peer peer, uint16_t seconds, uint64_t now);

/* How a peer stands. */
fbwg_result fbwg_get_peer_status(fbwg_tunnel *tunnel, fbwg_peer peer, fbwg_peer_status *status);

/* ---- Traffic */

/* Sends an IP packet to a peer: FBWG_OK when it is among the outputs, FBWG_STAGED when it waits for a session (the oldest of
 * 128 gives way to a new one). Bytes behind the length that the packet declares are not sent. */
fbwg_result fbwg_send(fbwg_tunnel *tunnel, fbwg_peer peer, const uint8_t *packet, size_t length, uint64_t now);

/* Sends a message without content, which keeps the way open; without a session, begins a handshake. */
fbwg_result fbwg_send_keepalive(fbwg_tunnel *tunnel, fbwg_peer peer, uint64_t now);

/* Takes a UDP datagram off the wire. Anything may be in it: what is not an authentic message of a peer changes nothing
 * (FBWG_DROPPED). */
fbwg_result fbwg_receive(
    fbwg_tunnel *tunnel, const uint8_t *datagram, size_t length, const fbwg_endpoint *from, uint64_t now);

/* Does what the protocol demands by `now`. Every call that is given a moment does this first. UINT64_MAX is no moment:
 * FBWG_ERROR_ARGUMENT. */
fbwg_result fbwg_advance(fbwg_tunnel *tunnel, uint64_t now);

/* When fbwg_advance is to be called if nothing else is until then, UINT64_MAX when there is nothing to wait for. Any call may
 * move it: ask again after each. */
uint64_t fbwg_next_deadline(const fbwg_tunnel *tunnel);

/* Takes the next output: *output says what it is, and `buffer` of `capacity` bytes has its bytes. */
fbwg_result fbwg_next_output(fbwg_tunnel *tunnel, fbwg_output *output, uint8_t *buffer, size_t capacity);

/* How many datagrams and packets a tunnel has dropped for a reason, by the reason's number from 0 on, whose name goes to *name
 * (never to be freed): "forged", "replayed", "bad-mac1"... FBWG_ERROR_ARGUMENT behind the last one. */
fbwg_result fbwg_get_drops(const fbwg_tunnel *tunnel, uint32_t number, const char **name, uint64_t *count);

#ifdef __cplusplus
}
#endif

#endif
