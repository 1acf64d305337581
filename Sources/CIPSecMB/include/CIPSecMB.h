/* ChaCha20-Poly1305 by Intel's Multi-Buffer Crypto for IPsec Library, which is looked for when the program runs: nothing of it
 * is needed to build or to link. C, because the library's interface is structures of function pointers, and because each thread
 * needs a manager of its own, which costs least as a thread-local variable. */
#ifndef CIPSECMB_H
#define CIPSECMB_H

#include <stdint.h>

/* What came of looking for it. */
enum cipsecmb_outcome {
    CIPSECMB_READY,
    CIPSECMB_OTHER_ARCHITECTURE, /* not x86-64 */
    CIPSECMB_ABSENT,             /* the dynamic linker does not find libIPSec_MB.so.1 or what we call in it */
    CIPSECMB_UNKNOWN_VERSION,    /* structures may have another layout */
    CIPSECMB_REFUSES,            /* it makes no manager: no memory, or its own self-test fails */
};

/* Loads the library, once, and makes the calling thread's manager. Any thread may call it. */
enum cipsecmb_outcome cipsecmb_load(void);

/* major << 16 | minor << 8 | patch; 0 without the library. */
unsigned cipsecmb_version(void);

/* Whether this CPU and its kernel have AVX-512 with IFMA; needs no library. */
int cipsecmb_cpu_has_ifma(void);

/* Whether the library makes use of it. */
int cipsecmb_uses_ifma(void);

/* Enciphers `count` bytes from source to destination, in either direction, and writes the tag of the ciphertext (16 bytes).
 * key: 32 bytes, nonce: 12. Nothing else is written; behind key and source up to 64 bytes are read. 0, or -1 when this thread has
 * no manager: nothing is done then. cipsecmb_load has to have said that the library is ready. */
int cipsecmb_seal(
    const void *key, const void *nonce, void *destination, const void *source, uint64_t count, void *tag);
int cipsecmb_open(
    const void *key, const void *nonce, void *destination, const void *source, uint64_t count, void *tag);

#endif
