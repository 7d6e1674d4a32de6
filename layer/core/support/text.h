/* Text in bounded buffers, without libc: also for the launcher, and between fork and exec. */
#ifndef FS_TEXT_H
#define FS_TEXT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TEXT_NUMBER_SIZE = 21 /* of any number, with the '\0' that ends it */ };

/* Writes `number` in decimal digits and ends it; returns how many digits. */
size_t text_number(char *out, uint64_t number);

/* The same in this base, 10 or 16, not ended; returns where it ends. */
char *text_digits(char *to, unsigned value, unsigned base);

/* The number that `text` begins with, with a minus where one stands there; 0 where none does. */
int text_int(const char *text);

/* The value of a hexadecimal digit; -1 where it is none. */
static inline int text_hex_digit(char c)
{
    char lower = (char)(c | 32);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static inline bool text_begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}
static inline bool text_ends(const char *text, const char *with)
{
    size_t size = strlen(text), wanted = strlen(with);
    return size >= wanted && strcmp(text + size - wanted, with) == 0;
}

/* `length` bytes of `text`, cut to fit, with a NUL. */
void text_take(char *out, size_t size, const char *text, size_t length);
/* Copies as much of `text` as there is room for, and ends it. */
void text_copy(char *out, size_t size, const char *text);

/* Writes the `count` texts one after the other and ends them; NULL stands for "". False where they
 * do not fit: what did is there, and ended. */
bool text_join(char *out, size_t size, const char *const *texts, size_t count);

/* "/proc/self/fd/N": a path that reaches just the object held by `fd`, whatever happens to its
 * names. */
void text_fd_path(char out[32], int fd);

/* The path of an open object, "" where there is none. True where the name is gone: the path is the
 * one it had, and may lead to another object. */
bool text_object_path(int fd, char path[PATH_MAX]);
/* The path of a name in the folder `fd`; "" where it cannot be had. */
void text_entry_path(int fd, const char *last, char path[PATH_MAX]);
/* The same, where `path` is that of the folder already. */
void text_add_entry(char path[PATH_MAX], const char *last);

#define TEXT_JOIN(out, size, ...)                                                                  \
    text_join(out, size, (const char *const[]){__VA_ARGS__},                                       \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

#endif
