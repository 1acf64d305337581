// How many X25519 computations the calling thread has asked libsodium for since it began.
unsigned long x25519_count(void);
