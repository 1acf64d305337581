// Stands before libsodium: the linker finds these definitions before the library's, and the library's come after them
// (RTLD_NEXT). For tests that have to know on which thread a Diffie-Hellman is computed.
#define _GNU_SOURCE
#include "CX25519Count.h"
#include <dlfcn.h>
#include <stdlib.h>

static _Thread_local unsigned long count;

unsigned long x25519_count(void) { return count; }

static void *next(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    return function;
}

int crypto_scalarmult_curve25519(unsigned char *shared, const unsigned char *scalar, const unsigned char *point) {
    count++;
    return ((int (*)(unsigned char *, const unsigned char *, const unsigned char *))next("crypto_scalarmult_curve25519"))(
        shared, scalar, point);
}

int crypto_scalarmult_curve25519_base(unsigned char *shared, const unsigned char *scalar) {
    count++;
    return ((int (*)(unsigned char *, const unsigned char *))next("crypto_scalarmult_curve25519_base"))(shared, scalar);
}
