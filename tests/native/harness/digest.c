/* Prints SHA-256 of the first 0, 37, 74, … bytes of a pattern that the test knows. -DPLAIN: without
 * the processor's own instructions. */
#include <stdio.h>

#include "support/digest.h"

enum { SIZE = 5000 };

#ifdef PLAIN
bool fs_sha256_blocks(uint32_t state[8], const unsigned char *bytes, size_t count)
{
    (void)state, (void)bytes, (void)count;
    return false;
}
#endif

int main(void)
{
    static unsigned char bytes[SIZE];
    char text[65];
    for (unsigned i = 0; i < SIZE; i++) bytes[i] = (unsigned char)(i * 7 + i / 256);
    for (size_t size = 0; size < SIZE; size += 37) {
        fs_sha256_hex(bytes, size, text);
        puts(text);
    }
    return 0;
}
