#include "support/keyed_hash.h"

#include <string.h>
#include <sys/auxv.h>

#include "support/sys.h"

static uint64_t key[2];

void keyed_hash_start(void)
{
    if (sys_call(SYS_getrandom, key, sizeof key, 1 /* GRND_NONBLOCK */) == (long)sizeof key) return;
    /* Early after boot, or without getrandom: the sixteen bytes that the kernel gives every
     * program. */
    const void *given = (const void *)getauxval(AT_RANDOM);
    if (given) memcpy(key, given, sizeof key);
    struct timespec now;
    if (sys_call(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0) key[1] ^= (uint64_t)now.tv_nsec;
}

static uint64_t turned(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void mix_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = turned(v[1], 13) ^ v[0];
    v[0] = turned(v[0], 32);
    v[2] += v[3];
    v[3] = turned(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = turned(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = turned(v[1], 17) ^ v[2];
    v[2] = turned(v[2], 32);
}

static void add_word(struct keyed_hash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    mix_round(hash->v);
    hash->v[0] ^= word;
}

void keyed_hash_begin(struct keyed_hash *hash)
{
    hash->v[0] = key[0] ^ 0x736f6d6570736575u;
    hash->v[1] = key[1] ^ 0x646f72616e646f6du;
    hash->v[2] = key[0] ^ 0x6c7967656e657261u;
    hash->v[3] = key[1] ^ 0x7465646279746573u;
    hash->word = 0;
    hash->size = 0;
}

void keyed_hash_bytes(struct keyed_hash *hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) {
        hash->word |= (uint64_t)at[i] << 8 * (hash->size % 8);
        if (++hash->size % 8 != 0) continue;
        add_word(hash, hash->word);
        hash->word = 0;
    }
}

void keyed_hash_text(struct keyed_hash *hash, const char *text)
{
    if (text) keyed_hash_bytes(hash, text, strlen(text) + 1);
    keyed_hash_bytes(hash, text ? "s" : "n", 1);
}

void keyed_hash_number(struct keyed_hash *hash, uint64_t number)
{
    keyed_hash_bytes(hash, &number, sizeof number);
}

uint64_t keyed_hash_end(struct keyed_hash *hash)
{
    add_word(hash, hash->word | (uint64_t)hash->size << 56);
    hash->v[2] ^= 0xff;
    for (unsigned i = 0; i < 3; i++) mix_round(hash->v);
    uint64_t value = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
    return value ? value : 1;
}
