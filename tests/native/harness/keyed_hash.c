/* Prints the hash of zero to sixty-four bytes, with the key of zeros. */
#include <stdio.h>

#include "support/keyed_hash.h"

int main(void)
{
    unsigned char bytes[64];
    for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 37 + 1);
    for (unsigned size = 0; size <= sizeof bytes; size++) {
        struct keyed_hash hash;
        keyed_hash_begin(&hash);
        keyed_hash_bytes(&hash, bytes, size);
        printf("%llu\n", (unsigned long long)keyed_hash_end(&hash));
    }
    return 0;
}
