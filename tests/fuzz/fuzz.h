/* What the fuzz targets share. Each target gets its input in a heap block of exactly its size,
 * so that the sanitizer sees a read beyond it. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reports a finding if a promise does not hold. */
#define PROMISE(x) ((x) ? (void)0 : __builtin_trap())

static inline char *copied_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text) exit(1);
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
