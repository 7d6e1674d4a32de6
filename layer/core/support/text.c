/* Text in bounded buffers. See text.h. */
#include "support/text.h"

#include <string.h>

#include "support/sys.h"

size_t text_number(char *out, uint64_t number)
{
    size_t size = 1;
    for (uint64_t rest = number; rest >= 10; rest /= 10) size++;
    out[size] = '\0';
    for (size_t i = size; i-- > 0; number /= 10) out[i] = (char)('0' + number % 10);
    return size;
}

char *text_digits(char *to, unsigned value, unsigned base)
{
    char digits[12];
    unsigned count = 0;
    do digits[count++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    while (count > 0) *to++ = digits[--count];
    return to;
}

int text_int(const char *text)
{
    long value = 0;
    bool minus = *text == '-';
    for (text += minus; *text >= '0' && *text <= '9' && value < 100000000; text++)
        value = value * 10 + (*text - '0');
    return (int)(minus ? -value : value);
}

void text_take(char *out, size_t size, const char *text, size_t length)
{
    if (length > size - 1) length = size - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

void text_copy(char *out, size_t size, const char *text)
{
    text_take(out, size, text, strnlen(text, size - 1));
}

bool text_join(char *out, size_t size, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = texts[i] ? texts[i] : "";
        size_t length = strlen(text);
        text_copy(out, size, text);
        if (length >= size) return false;
        out += length;
        size -= length;
    }
    return true;
}

void text_fd_path(char out[32], int fd)
{
    memcpy(out, "/proc/self/fd/", 14);
    text_number(out + 14, fd < 0 ? 0 : (unsigned)fd);
}

bool text_object_path(int fd, char path[PATH_MAX])
{
    char magic[32];
    text_fd_path(magic, fd);
    long size = sys_readlinkat(AT_FDCWD, magic, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = '\0';
    /* The kernel appends this to the path of a removed object. */
    bool gone = size > 10 && strcmp(path + size - 10, " (deleted)") == 0;
    if (gone) path[size - 10] = '\0';
    return gone;
}

void text_add_entry(char path[PATH_MAX], const char *last)
{
    size_t size = strlen(path), more = strlen(last);
    if (size == 0) return;
    if (path[size - 1] == '/') size--;
    if (size + 1 + more >= PATH_MAX) {
        path[0] = '\0';
        return;
    }
    path[size] = '/';
    memcpy(path + size + 1, last, more + 1);
    if (path[size + more] == '/') path[size + more] = '\0';
}

void text_entry_path(int fd, const char *last, char path[PATH_MAX])
{
    (void)text_object_path(fd, path);
    text_add_entry(path, last);
}
