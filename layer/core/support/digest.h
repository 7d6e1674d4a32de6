/* SHA-256 (FIPS 180-4): names a policy in the armed event and lets a child check that it got its
 * parent's. */
#ifndef FS_DIGEST_H
#define FS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 64 lower-case hexadecimal digits and a NUL. */
void fs_sha256_hex(const void *bytes, size_t size, char out[65]);

/* digest_blocks.c: takes `count` blocks of 64 bytes into `state` by the processor's own
 * instructions. False where it has none: then nothing is done. */
bool fs_sha256_blocks(uint32_t state[8], const unsigned char *bytes, size_t count);
extern const uint32_t fs_sha256_constants[64];

#endif
