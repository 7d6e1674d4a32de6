/* Reads /proc/self/maps. */
#include "support/mappings.h"

#include <fcntl.h>
#include <string.h>

#include "support/reader.h"
#include "support/sys.h"
#include "support/text.h"

/* Reads hexadecimal digits up to another byte, which it returns. */
static int read_number(struct reader *reader, uintptr_t *value)
{
    int c, digit;
    for (*value = 0; (c = reader_next(reader)) >= 0 && (digit = text_hex_digit((char)c)) >= 0;)
        *value = *value << 4 | (uintptr_t)digit;
    return c;
}

struct line {
    uintptr_t low, high;
    bool whole; /* the path fitted */
    char permissions[5];
    char path[1024];
};

/* LOW-HIGH PERMISSIONS OFFSET DEVICE INODE [spaces PATH] */
static bool read_line(struct reader *reader, struct line *line)
{
    if (read_number(reader, &line->low) != '-' || read_number(reader, &line->high) != ' ')
        return false;
    unsigned spaces = 1, shown = 0;
    bool blank = true;
    size_t size = 0;
    line->whole = true;
    memset(line->permissions, 0, sizeof line->permissions);
    for (;;) {
        int c = reader_next(reader);
        if (c == '\n') break;
        if (c < 0) return false;
        if (c == ' ' && size == 0) {
            if (!blank) spaces++;
            blank = true;
            continue;
        }
        blank = false;
        if (spaces == 1 && shown < sizeof line->permissions - 1)
            line->permissions[shown++] = (char)c;
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
            memcpy(mapping->path, line.whole ? line.path : "",
                   line.whole ? strlen(line.path) + 1 : 1);
        }
        if (!found && (uintptr_t)address >= line.low && (uintptr_t)address < line.high) {
            if (!line.whole) break;
            found = true;
        }
    }
    sys_close(reader.fd);
    return found;
}

/* Returns true if every page is still the file's, not a modified copy:
 * "Documentation/admin-guide/mm/pagemap.rst". */
static bool are_clean(int pages, uintptr_t low, uintptr_t high)
{
    uint64_t entries[64];
    while (low < high) {
        size_t count = (high - low) >> 12 < 64 ? (high - low) >> 12 : 64;
        long want = (long)(count * sizeof *entries);
        if (sys_pread(pages, entries, (size_t)want, (long)(low >> 12) * 8) != want) return false;
        for (size_t i = 0; i < count; i++) {
            bool present = entries[i] >> 63 & 1, swapped = entries[i] >> 62 & 1,
                 of_file = entries[i] >> 61 & 1;
            if (swapped || (present && !of_file)) return false;
        }
        low += count << 12;
    }
    return true;
}

bool mappings_are_files(const void *start, size_t size, bool (*approves)(const char *path))
{
    uintptr_t low = (uintptr_t)start & ~4095ul, high;
    if (__builtin_add_overflow((uintptr_t)start, size, &high) || high > UINTPTR_MAX - 4095)
        return false;
    high = (high + 4095) & ~4095ul;
    struct reader reader = {.fd = sys_openat(AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0)};
    int pages = sys_openat(AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
    struct line line;
    bool ok = reader.fd >= 0 && pages >= 0;
    uintptr_t at = low;
    while (ok && at < high && read_line(&reader, &line)) {
        if (line.high <= at) continue;
        ok = line.low <= at && line.whole && line.path[0] == '/' && line.permissions[1] == '-' &&
             are_clean(pages, at, line.high < high ? line.high : high) && approves(line.path);
        at = line.high;
    }
    if (reader.fd >= 0) sys_close(reader.fd);
    if (pages >= 0) sys_close(pages);
    return ok && at >= high;
}

bool mappings_any(const void *start, size_t size, bool (*finds)(char *path), char *path)
{
    /* arm64 ignores the top byte of an address, in system calls as well. */
    uintptr_t low = (uintptr_t)start << 8 >> 8, high;
    if (__builtin_add_overflow(low, size, &high)) high = UINTPTR_MAX;
    struct reader reader = {.fd = sys_openat(AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0)};
    path[0] = '\0';
    if (reader.fd < 0) return true;
    struct line line;
    bool found = false;
    while (!found && read_line(&reader, &line) && line.low < high) {
        if (line.high <= low) continue;
        memcpy(path, line.path, sizeof line.path);
        found = finds(path);
    }
    sys_close(reader.fd);
    return found;
}
