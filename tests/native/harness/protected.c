/* Tests what counts as the guard's memory. */
#include <stdio.h>

#include "files/protected.c"

int main(void)
{
    static _Alignas(4096) char own[8192], other[4096];
    const char *tagged = (const char *)((uintptr_t)own | (uintptr_t)0xa5 << 56);
    files_protect_memory(own, sizeof own);
    printf("own %d\n", files_memory_protected(own + 4096, 1));
    printf("up to it %d\n", files_memory_protected(own - 1, 1));
    printf("into it %d\n", files_memory_protected(own - 1, 2));
    printf("everything %d\n", files_memory_protected(NULL, SIZE_MAX));
    printf("other %d\n", files_memory_protected(other, sizeof other));
    printf("tagged %d\n", files_memory_protected(tagged, 1));
    return 0;
}
