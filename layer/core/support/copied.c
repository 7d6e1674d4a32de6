/* See copied.h. */
#include "support/copied.h"

#include "support/sys.h"

enum { PAGE = 4096 };

__thread uint64_t copied_pages[COPIED_PAGES] __attribute__((tls_model("initial-exec")));
__thread char copied_last[COPIED_SHORT] __attribute__((tls_model("initial-exec")));
atomic_uint copied_generation = 1;
__thread const char *copied_given __attribute__((tls_model("initial-exec")));

/* A page is noted before the kernel is asked. If it is unmapped in between, the note belongs to an
 * old generation. */
bool copied_ask_page(uintptr_t address)
{
    uint64_t key = copied_page_key(address);
    if (!sys_readable((const void *)(address & ~7ul), 8)) return false;
    if (address >> 48 == 0) copied_pages[address >> 12 & (COPIED_PAGES - 1)] = key;
    return true;
}

static size_t left_of_page(const void *at) { return PAGE - ((uintptr_t)at & (PAGE - 1)); }

#define ONES UINT64_C(0x0101010101010101)
struct word {
    uint64_t word;
} __attribute__((packed, may_alias));

/* Reads whole words, never beyond the end of a page, and so bytes after the string too. */
__attribute__((no_sanitize("address"))) long copied_string(char *to, const char *from, size_t room)
{
    const volatile char *at = from; /* each byte is read once */
    size_t size = 0;
    while (size < room) {
        if (!copied_is_readable((uintptr_t)from + size)) return -EFAULT;
        size_t end = size + left_of_page(from + size);
        if (end > room) end = room;
        for (; end - size >= sizeof(uint64_t); size += sizeof(uint64_t)) {
            uint64_t word = ((const volatile struct word *)(at + size))->word;
            memcpy(to + size, &word, sizeof word);
            /* The lowest set high bit marks the first NUL. */
            word = (word - ONES) & ~word & ONES << 7;
            if (word != 0) return (long)size + __builtin_ctzll(word) / 8;
        }
        for (; size < end; size++)
            if ((to[size] = at[size]) == '\0') return (long)size;
    }
    return (long)size;
}

bool copied_bytes(void *to, const void *from, size_t size)
{
    for (size_t done = 0; done < size;) {
        const char *at = (const char *)from + done;
        size_t part = left_of_page(at);
        if (part > size - done) part = size - done;
        if (!copied_is_readable((uintptr_t)at)) return false;
        memcpy((char *)to + done, at, part);
        done += part;
    }
    return true;
}

static struct path finished(char *to, long size, size_t room, int too_long)
{
    if (size >= 0 && ((size_t)size < room || too_long == 0))
        return (struct path){to, (size_t)size, 0};
    to[0] = '\0';
    return (struct path){to, 0, size < 0 ? (int)-size : too_long};
}

struct path copied_short(char *to, const char *from)
{
    copied_given = from;
    return finished(to, copied_string(to, from, COPIED_SHORT), COPIED_SHORT, 0);
}

/* Copies again from the beginning. The bytes that were copied before may have changed, and are not
 * used. */
void copied_long(struct path *path, char *to, const char *from)
{
    *path = finished(to, copied_string(to, from, PATH_MAX), PATH_MAX, ENAMETOOLONG);
}

/* ---- lists of strings ---- */

/* More than the kernel accepts for a program: 6 MB, with the pointers. Memory is used only for what
 * is written. */
enum { WORDS = 1 << 20, WORDS_BYTES = 8 << 20 };

static long count_words(char *const *from)
{
    char *word;
    for (long count = 0; count < WORDS; count++) {
        if (!copied_bytes(&word, from + count, sizeof word)) return -EFAULT;
        if (word == NULL) return count;
    }
    return -E2BIG;
}

static struct words no_words(struct words *words, int error)
{
    if (words->list != NULL) sys_scratch_free(words->list, words->mapped);
    return (struct words){.error = error};
}

/* The list may have changed since it was counted. Only the copy is used. */
struct words copied_words(char *const *from)
{
    struct words words = {0};
    long count = from != NULL ? count_words(from) : 0;
    if (from == NULL || count < 0) return no_words(&words, (int)-count);
    size_t pointers = ((size_t)count + 1) * sizeof(char *);
    words.mapped = pointers + WORDS_BYTES;
    words.list = sys_scratch(words.mapped);
    if (words.list == NULL) return no_words(&words, ENOMEM);
    char *at = (char *)words.list + pointers, *end = (char *)words.list + words.mapped;
    for (; words.count < (size_t)count; words.count++) {
        char *word;
        if (!copied_bytes(&word, from + words.count, sizeof word)) return no_words(&words, EFAULT);
        if (word == NULL) break;
        size_t room = (size_t)(end - at);
        long size = copied_string(at, word, room);
        if (size < 0) return no_words(&words, (int)-size);
        if ((size_t)size == room) return no_words(&words, E2BIG);
        words.list[words.count] = at;
        at += size + 1;
    }
    words.list[words.count] = NULL;
    return words;
}

void copied_words_free(struct words *words) { sys_scratch_free(words->list, words->mapped); }

#ifdef FS_TEST_NO_COPY
struct words copied_words_given(char *const *from)
{
    struct words words = {.list = (char **)(uintptr_t)from};
    while (from != NULL && from[words.count] != NULL) words.count++;
    return words;
}
#endif
