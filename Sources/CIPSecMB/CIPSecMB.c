#include "CIPSecMB.h"

#ifdef __x86_64__

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

/* The version whose layout is below: the structures' fields move and the numbers of ciphers change from one to the next. */
#define KNOWN_VERSION 0x10300 /* 1.3.0, in Debian 12 */

/* The numbers that 1.3 has for what we ask of it. */
enum { CIPHER_CHACHA20_POLY1305 = 19, HASH_CHACHA20_POLY1305 = 29 };
enum { ENCRYPT = 1, DECRYPT = 2 };
enum { CIPHER_THEN_HASH = 1, HASH_THEN_CIPHER = 2 };
enum { COMPLETED = 3 };
enum { ARCHITECTURE_AVX512 = 5 };
#define FEATURE_AVX512_IFMA (1u << 17)

/* A message to be sealed or opened: what we fill in of the library's job. */
struct job {
    const void *encryption_key;
    const void *decryption_key;
    uint64_t key_size;
    const void *source;
    void *destination;
    uint64_t cipher_offset;
    uint64_t cipher_count;
    uint64_t hash_offset;
    uint64_t hash_count;
    const void *nonce;
    uint64_t nonce_size;
    void *tag;
    uint64_t tag_size;
    const void *additional_data;
    uint64_t additional_data_count;
    void *context; /* for messages in pieces */
    uint32_t status;
    uint32_t cipher;
    uint32_t direction;
    uint32_t hash;
    uint32_t order;
};

/* The beginning of the library's manager. */
struct manager {
    uint64_t flags;
    uint64_t features;
    uint64_t reserved[5];
    uint32_t architecture;
    int error;
    struct job *(*next_job)(struct manager *);
    struct job *(*submit)(struct manager *);
    struct job *(*submit_unchecked)(struct manager *);
};

_Static_assert(offsetof(struct job, additional_data) == 104, "as in 1.3");
_Static_assert(offsetof(struct job, status) == 128, "as in 1.3");
_Static_assert(offsetof(struct job, order) == 144, "as in 1.3");
_Static_assert(offsetof(struct manager, architecture) == 56, "as in 1.3");
_Static_assert(offsetof(struct manager, submit_unchecked) == 80, "as in 1.3");

static enum cipsecmb_outcome outcome;
static unsigned version;
static int uses_ifma;
static struct manager *(*allocate)(uint64_t flags);
static void (*initialise)(struct manager *, int *architecture);
static void (*release)(struct manager *);

/* A thread's manager, made when the thread first asks and freed when it ends; it keeps addresses of keys and messages, but
 * nothing of what stands there. */
static _Thread_local struct manager *own;
static _Thread_local int has_failed;
static pthread_key_t end_of_thread;

static void give_up(void *manager) {
    own = NULL;
    release(manager);
}

__attribute__((noinline)) static struct manager *make_own(void) {
    if (has_failed) return NULL;
    struct manager *manager = allocate(0);
    if (manager) {
        initialise(manager, NULL);
        if (manager->error == 0 && pthread_setspecific(end_of_thread, manager) == 0) return own = manager;
        release(manager);
    }
    has_failed = 1;
    return NULL;
}

static enum cipsecmb_outcome load(void) {
    void *library = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return CIPSECMB_ABSENT;
    unsigned (*get_version)(void) = (unsigned (*)(void))dlsym(library, "imb_get_version");
    allocate = (struct manager * (*)(uint64_t)) dlsym(library, "alloc_mb_mgr");
    initialise = (void (*)(struct manager *, int *))dlsym(library, "init_mb_mgr_auto");
    release = (void (*)(struct manager *))dlsym(library, "free_mb_mgr");
    if (!get_version || !allocate || !initialise || !release) return CIPSECMB_ABSENT;
    version = get_version();
    if (version != KNOWN_VERSION) return CIPSECMB_UNKNOWN_VERSION;
    if (pthread_key_create(&end_of_thread, give_up) != 0) return CIPSECMB_REFUSES;
    struct manager *manager = make_own();
    if (!manager) return CIPSECMB_REFUSES;
    uses_ifma = manager->architecture == ARCHITECTURE_AVX512 && (manager->features & FEATURE_AVX512_IFMA);
    return CIPSECMB_READY;
}

static void load_once(void) { outcome = load(); }

enum cipsecmb_outcome cipsecmb_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_once);
    return outcome;
}

unsigned cipsecmb_version(void) { return version; }

int cipsecmb_cpu_has_ifma(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512ifma") != 0;
}

int cipsecmb_uses_ifma(void) { return uses_ifma; }

static inline int run(
    uint32_t direction, uint32_t order, const void *key, const void *nonce, void *destination, const void *source,
    uint64_t count, void *tag) {
    struct manager *manager = own;
    if (__builtin_expect(!manager, 0) && !(manager = make_own())) return -1;
    /* The manager has 256 jobs and takes them in turn, so each has to be filled in whole. */
    struct job *job = manager->next_job(manager);
    job->encryption_key = key;
    job->decryption_key = key;
    job->key_size = 32;
    job->source = source;
    job->destination = destination;
    job->cipher_offset = 0;
    job->cipher_count = count;
    job->hash_offset = 0;
    job->hash_count = count;
    job->nonce = nonce;
    job->nonce_size = 12;
    job->tag = tag;
    job->tag_size = 16;
    job->additional_data = NULL;
    job->additional_data_count = 0;
    job->context = NULL;
    job->cipher = CIPHER_CHACHA20_POLY1305;
    job->direction = direction;
    job->hash = HASH_CHACHA20_POLY1305;
    job->order = order;
    job = manager->submit_unchecked(manager);
    if (__builtin_expect(job && job->status == COMPLETED, 1)) return 0;
    /* This cipher's jobs are done when they are submitted. One that is not would be done later, when the memory is another's: such
     * a manager is never run again. It is lost, not freed, because it may still hold the job. */
    pthread_setspecific(end_of_thread, NULL);
    own = NULL;
    has_failed = 1;
    return -1;
}

int cipsecmb_seal(
    const void *key, const void *nonce, void *destination, const void *source, uint64_t count, void *tag) {
    return run(ENCRYPT, CIPHER_THEN_HASH, key, nonce, destination, source, count, tag);
}

int cipsecmb_open(
    const void *key, const void *nonce, void *destination, const void *source, uint64_t count, void *tag) {
    return run(DECRYPT, HASH_THEN_CIPHER, key, nonce, destination, source, count, tag);
}

#else

enum cipsecmb_outcome cipsecmb_load(void) { return CIPSECMB_OTHER_ARCHITECTURE; }
unsigned cipsecmb_version(void) { return 0; }
int cipsecmb_cpu_has_ifma(void) { return 0; }
int cipsecmb_uses_ifma(void) { return 0; }
int cipsecmb_seal(
    const void *key, const void *nonce, void *destination, const void *source, uint64_t count, void *tag) {
    return -1;
}
int cipsecmb_open(
    const void *key, const void *nonce, void *destination, const void *source, uint64_t count, void *tag) {
    return -1;
}

#endif
