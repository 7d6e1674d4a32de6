/* Memory that no door lets anybody change: the policy, the guard's own code and data. */
#include "files/files.h"

enum { RANGES = 8 };

static struct {
    uintptr_t start, end;
} ranges[RANGES];
static unsigned range_count;

void files_protect_memory(const void *start, size_t size)
{
    if (range_count == RANGES) return;
    ranges[range_count].start = (uintptr_t)start & ~4095ul;
    ranges[range_count].end = ((uintptr_t)start + size + 4095) & ~4095ul;
    range_count++;
}

bool files_memory_protected(const void *start, size_t size)
{
    /* arm64 ignores the top byte of an address, in system calls as well. */
    uintptr_t low = (uintptr_t)start << 8 >> 8, high;
    if (__builtin_add_overflow(low, size, &high)) high = UINTPTR_MAX;
    for (unsigned i = 0; i < range_count; i++)
        if (low < ranges[i].end && high > ranges[i].start) return true;
    return false;
}
