/* Compares the launcher's string functions with the C library's, on short random texts. Prints
 * the name of each that differs. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SIZE = 24, ROUNDS = 200000 };

void *own_memcpy(void *, const void *, size_t);
void *own_memmove(void *, const void *, size_t);
void *own_memset(void *, int, size_t);
int own_memcmp(const void *, const void *, size_t);
int own_bcmp(const void *, const void *, size_t);
void *own_memchr(const void *, int, size_t);
size_t own_strlen(const char *);
size_t own_strnlen(const char *, size_t);
int own_strcmp(const char *, const char *);
int own_strncmp(const char *, const char *, size_t);
char *own_strchr(const char *, int);
char *own_strrchr(const char *, int);
char *own_strchrnul(const char *, int);
char *own_strstr(const char *, const char *);
size_t own_strcspn(const char *, const char *);
char *own_strcpy(char *, const char *);
char *own_strcat(char *, const char *);

static unsigned below(unsigned bound) { return (unsigned)rand() % bound; }

/* Few letters, so that two texts often begin alike; and 0xff, because char may be signed. */
static void fill(char text[2 * SIZE])
{
    for (unsigned i = 0; i < 2 * SIZE; i++) text[i] = "ab\xff"[below(3)];
    text[below(SIZE)] = '\0';
    text[SIZE - 1] = '\0';
}

static int sign(int value) { return (value > 0) - (value < 0); }

#define SAME(what, condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            puts(what);                                                                            \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

/* Compares what a function wrote into two copies of the same bytes, and what it returned. */
#define WRITES(name, ...)                                                                          \
    do {                                                                                           \
        char first[4 * SIZE], second[4 * SIZE], *out = first;                                      \
        memset(first, 'x', sizeof first);                                                          \
        memcpy(first, one, 2 * SIZE);                                                              \
        memcpy(second, first, sizeof first);                                                       \
        SAME(#name, (char *)name(__VA_ARGS__) - first == off);                                     \
        out = second;                                                                              \
        SAME(#name, (char *)own_##name(__VA_ARGS__) - second == off);                              \
        SAME(#name, memcmp(first, second, sizeof first) == 0);                                     \
    } while (0)

int main(void)
{
    srand(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char one[2 * SIZE], two[2 * SIZE], few[2 * SIZE];
        fill(one);
        fill(two);
        fill(few);
        few[below(4)] = '\0';
        size_t size = below(SIZE + 1);
        int byte = "ab\xff\0c"[below(5)];
        SAME("memcmp", sign(memcmp(one, two, size)) == sign(own_memcmp(one, two, size)));
        SAME("bcmp", !bcmp(one, two, size) == !own_bcmp(one, two, size));
        SAME("memchr", memchr(one, byte, size) == own_memchr(one, byte, size));
        SAME("strlen", strlen(one) == own_strlen(one));
        SAME("strnlen", strnlen(one, size) == own_strnlen(one, size));
        SAME("strcmp", sign(strcmp(one, two)) == sign(own_strcmp(one, two)));
        SAME("strcmp", own_strcmp(one, one) == 0);
        SAME("strncmp", sign(strncmp(one, two, size)) == sign(own_strncmp(one, two, size)));
        SAME("strchr", strchr(one, byte) == own_strchr(one, byte));
        SAME("strrchr", strrchr(one, byte) == own_strrchr(one, byte));
        char *end = strchr(one, byte);
        SAME("strchrnul", (end ? end : one + strlen(one)) == own_strchrnul(one, byte));
        SAME("strstr", strstr(one, few) == own_strstr(one, few));
        SAME("strcspn", strcspn(one, few) == own_strcspn(one, few));
        long off = 0;
        WRITES(strcpy, out, two);
        WRITES(strcat, out, two);
        WRITES(memset, out, byte, size);
        WRITES(memcpy, out, two, size);
        size_t from = below(SIZE), to = below(SIZE);
        off = (long)to;
        WRITES(memmove, out + to, out + from, size);
    }
    return 0;
}
