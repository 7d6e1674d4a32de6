/* Copies that a door makes of its caller's memory.
 *
 * Another thread of the function can write to an argument at any time. So a door copies it once;
 * the copy is judged, acted on and reported. Only the macros and functions here make these
 * types, and the functions behind a door take no others. doors.table says which arguments of a
 * door are copied, and how; doors.py generates that part of the door. See
 * docs/decisions/copied-arguments.md. */
#ifndef FS_COPIED_H
#define FS_COPIED_H

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { COPIED_SHORT = 256 };

/* A string: a path, for the most part. */
struct path {
    const char *text; /* of our own; NUL-terminated */
    size_t size; /* without its NUL */
    int error; /* 0; EFAULT or ENAMETOOLONG, and `text` is "" then */
};

/* Where the string that this thread copied last lies in the caller's memory: to be compared, never
 * to be read. */
extern __thread const char *copied_given __attribute__((tls_model("initial-exec")));

/* A string of the guard's own, or one that was copied before: a constant, the target of a link that
 * was read. */
static inline struct path copied_own(const char *text)
{
    size_t size = strlen(text);
    return size < PATH_MAX ? (struct path){text, size, 0} : (struct path){"", 0, ENAMETOOLONG};
}

/* Copies a string, NUL included, to `to`. Its size, `room` where it does not fit, -EFAULT where it
 * cannot be read. */
long copied_string(char *to, const char *from, size_t room);
/* Copies `size` bytes. Returns false if they cannot be read. */
bool copied_bytes(void *to, const void *from, size_t size);
struct path copied_short(char *to, const char *from);
void copied_long(struct path *path, char *to, const char *from);
/* Where a short string lies for a call that replaces the door's own (musttail), since libc asks who
 * made it. */
extern __thread char copied_last[COPIED_SHORT] __attribute__((tls_model("initial-exec")));

/* A list of strings that ends with a null pointer, in a mapping of its own, which is unmapped when
 * the door is left. */
struct words {
    char **list; /* NULL where `from` was */
    size_t count, mapped;
    int error; /* 0; EFAULT, E2BIG or ENOMEM */
};
struct words copied_words(char *const *from);
void copied_words_free(struct words *words);

/* A socket's address. */
enum { COPIED_ADDRESS = 128 }; /* sizeof(struct sockaddr_storage): the kernel takes no more */
struct socket_address {
    const void *bytes; /* struct sockaddr */
    unsigned size;
    int error; /* 0 or EFAULT */
};

#ifndef FS_TEST_NO_COPY
#define COPY_ADDRESS(name, from, length)                                                           \
    char name##_bytes[COPIED_ADDRESS] __attribute__((aligned(8)));                                 \
    struct socket_address name = {name##_bytes, length,                                            \
                                  copied_bytes(name##_bytes, from, length) ? 0 : EFAULT}
/* What a door hands on that made its copy without the macros here. */
#define COPIED_BY_HAND(copy, given) (copy)
#define COPY_WORDS(name, from)                                                                     \
    struct words name __attribute__((cleanup(copied_words_free))) = copied_words(from)
/* Declares `name`, a struct path of the string at `from`. Most are short; what a longer one needs
 * lies in the door's frame as well, since a door may allocate nothing. */
#define COPY_PATH(name, from)                                                                      \
    char name##_short[COPIED_SHORT];                                                               \
    struct path name = copied_short(name##_short, from);                                           \
    if (__builtin_expect(name.size == COPIED_SHORT, 0))                                            \
    copied_long(&name, __builtin_alloca(PATH_MAX), from)
#else
/* For the test that shows that the races are closed by the copy. */
#define COPY_PATH(name, from)            struct path name = copied_own(from)
#define COPY_WORDS(name, from)           struct words name = copied_words_given(from)
#define COPY_ADDRESS(name, from, length) struct socket_address name = {from, length, 0}
#define COPIED_BY_HAND(copy, given)      ((void)(copy), (given))
struct words copied_words_given(char *const *from);
#endif

/* ---- reading memory that may not be there ---- */

/* The pages that this thread has read from recently. The kernel is asked once for each. So an
 * unreadable pointer is the caller's EFAULT and not a crash of the guard's, and a path that is
 * opened repeatedly costs no extra system calls. */
enum { COPIED_PAGES = 16 };
extern __thread uint64_t copied_pages[COPIED_PAGES] __attribute__((tls_model("initial-exec")));
extern atomic_uint copied_generation;

bool copied_ask_page(uintptr_t address);

static inline uint64_t copied_page_key(uintptr_t address)
{
    unsigned generation = atomic_load_explicit(&copied_generation, memory_order_relaxed);
    return (uint64_t)(address >> 12) << 28 | (generation & 0xfffffffu);
}

static inline bool copied_is_readable(uintptr_t address)
{
    if (__builtin_expect(address >> 48 == 0 && copied_pages[address >> 12 & (COPIED_PAGES - 1)] ==
                                                   copied_page_key(address),
                         1))
        return true;
    return copied_ask_page(address);
}

/* Memory is about to be unmapped or made unreadable: forgets all pages. */
static inline void copied_forget(void)
{
    atomic_fetch_add_explicit(&copied_generation, 1, memory_order_relaxed);
}

#endif
