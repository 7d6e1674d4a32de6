/* SHA-256 (FIPS 180-4): names a policy in the armed event and lets a child check that it got its parent's. */
#ifndef FS_DIGEST_H
#define FS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Writes 64 lower-case hexadecimal digits and a NUL. */
void fs_sha256_hex(const void *bytes, size_t size, char out[65]);

#endif
