/* Reads /proc/self/maps. */
#include "mappings.h"

#include <fcntl.h>
#include <string.h>

#include "sys.h"

struct reader {
    int fd;
    size_t at, size;
    char buffer[4096];
};

static int next_byte(struct reader *reader)
{
    if (reader->at == reader->size) {
        long got = sys_read(reader->fd, reader->buffer, sizeof reader->buffer);
        if (got <= 0) return -1;
        reader->at = 0;
        reader->size = (size_t)got;
    }
    return (unsigned char)reader->buffer[reader->at++];
}

/* Reads hexadecimal digits up to another byte, which it returns. */
static int read_number(struct reader *reader, uintptr_t *value)
{
    *value = 0;
    for (;;) {
        int c = next_byte(reader);
        if (c >= '0' && c <= '9')
            *value = *value << 4 | (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value << 4 | (uintptr_t)(c - 'a' + 10);
        else
            return c;
    }
}

struct line {
    uintptr_t low, high;
    bool whole; /* the path fitted */
    char path[1024];
};

/* LOW-HIGH PERMISSIONS OFFSET DEVICE INODE [spaces PATH] */
static bool read_line(struct reader *reader, struct line *line)
{
    if (read_number(reader, &line->low) != '-' || read_number(reader, &line->high) != ' ') return false;
    unsigned spaces = 1;
    bool blank = true;
    size_t size = 0;
    line->whole = true;
    for (;;) {
        int c = next_byte(reader);
        if (c == '\n') break;
        if (c < 0) return false;
        if (c == ' ' && size == 0) {
            if (!blank) spaces++;
            blank = true;
            continue;
        }
        blank = false;
        if (spaces < 5) continue;
        if (size + 1 < sizeof line->path)
            line->path[size++] = (char)c;
        else
            line->whole = false;
    }
    line->path[size] = '\0';
    return true;
}

bool mapping_of(const void *address, struct mapping *mapping)
{
    struct reader reader = {.fd = sys_openat(AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0)};
    if (reader.fd < 0) return false;
    struct line line;
    bool found = false;
    mapping->path[0] = '\0';
    while (read_line(&reader, &line)) {
        bool same = line.whole && mapping->path[0] != '\0' && strcmp(line.path, mapping->path) == 0;
        if (same) {
            mapping->high = line.high;
        } else if (found && line.path[0] != '\0') {
            break;
        } else if (!found) {
            mapping->low = line.low;
            mapping->high = line.high;
            memcpy(mapping->path, line.whole ? line.path : "", line.whole ? strlen(line.path) + 1 : 1);
        }
        if (!found && (uintptr_t)address >= line.low && (uintptr_t)address < line.high) {
            if (!line.whole) break;
            found = true;
        }
    }
    sys_close(reader.fd);
    return found;
}
