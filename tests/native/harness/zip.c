/* Reads an archive from standard input. Writes it without the modules in the arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/zip.h"

enum { MOST = 1 << 22 };

int main(int count, char **arguments)
{
    static uint8_t given[MOST];
    size_t size = 0;
    for (ssize_t got; size < MOST && (got = read(0, given + size, MOST - size)) > 0;)
        size += (size_t)got;
    /* Of exactly this size, so that a sanitizer sees a read beyond them. */
    uint8_t *from = malloc(size + 1), *to = calloc(size + 1, 1);
    for (size_t i = 0; i < size; i++) from[i] = given[i];
    from = realloc(from, size ? size : 1);
    if (count < 2 || !zip_copy(to, from, size)) return 1;
    for (int i = 1; i < count; i++)
        if (!zip_blank(to, size, arguments[i])) return 1;
    fwrite(to, 1, size, stdout);
    return 0;
}
