/* The functions of <string.h> that the launcher calls, or that the compiler puts into it. They are
 * short, and not fast: nothing here is long. */
#include <stdint.h>
#include <string.h>
#include <strings.h>

void *memcpy(void *restrict out, const void *restrict in, size_t size)
{
    unsigned char *to = out;
    const unsigned char *from = in;
    while (size-- > 0) *to++ = *from++;
    return out;
}

void *memmove(void *out, const void *in, size_t size)
{
    unsigned char *to = out;
    const unsigned char *from = in;
    for (size_t i = 0; i < size; i++) {
        size_t at = to < from ? i : size - 1 - i;
        to[at] = from[at];
    }
    return out;
}

void *memset(void *out, int value, size_t size)
{
    unsigned char *to = out;
    while (size-- > 0) *to++ = (unsigned char)value;
    return out;
}

int memcmp(const void *one, const void *two, size_t size)
{
    const unsigned char *first = one, *second = two;
    for (; size > 0; size--, first++, second++)
        if (*first != *second) return *first - *second;
    return 0;
}

/* clang calls this if only equality matters, not memcmp's sign. */
int bcmp(const void *one, const void *two, size_t size) { return memcmp(one, two, size); }

void *memchr(const void *bytes, int byte, size_t size)
{
    const unsigned char *at = bytes;
    for (; size > 0; size--, at++)
        if (*at == (unsigned char)byte) return (void *)(uintptr_t)at;
    return NULL;
}

size_t strlen(const char *text) { return strnlen(text, (size_t)-1); }

size_t strnlen(const char *text, size_t most)
{
    size_t size = 0;
    while (size < most && text[size]) size++;
    return size;
}

int strncmp(const char *one, const char *two, size_t most)
{
    for (; most > 0; most--, one++, two++)
        if (*one != *two || *one == '\0') return (unsigned char)*one - (unsigned char)*two;
    return 0;
}

int strcmp(const char *one, const char *two) { return strncmp(one, two, (size_t)-1); }

char *strchrnul(const char *text, int byte)
{
    while (*text && *text != (char)byte) text++;
    return (char *)(uintptr_t)text;
}

char *strchr(const char *text, int byte)
{
    char *found = strchrnul(text, byte);
    return *found == (char)byte ? found : NULL;
}

char *strrchr(const char *text, int byte)
{
    const char *found = NULL;
    do
        if (*text == (char)byte) found = text;
    while (*text++);
    return (char *)(uintptr_t)found;
}

char *strstr(const char *text, const char *wanted)
{
    size_t size = strlen(wanted);
    for (; strncmp(text, wanted, size) != 0; text++)
        if (*text == '\0') return NULL;
    return (char *)(uintptr_t)text;
}

size_t strcspn(const char *text, const char *ends)
{
    size_t size = 0;
    while (text[size] && !strchr(ends, text[size])) size++;
    return size;
}

char *strcpy(char *restrict out, const char *restrict text)
{
    return memcpy(out, text, strlen(text) + 1);
}

char *strcat(char *restrict out, const char *restrict text)
{
    (void)strcpy(out + strlen(out), text);
    return out;
}
