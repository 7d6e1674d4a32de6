#include "support/zip.h"

#include <string.h>

enum { END = 22, COMMENT_MAX = 65535, CENTRAL = 46, LOCAL = 30 };

static uint32_t two(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8; }

static uint64_t four(const uint8_t *at) { return two(at) | (uint64_t)two(at + 2) << 16; }

static bool begins(const uint8_t *at, char third)
{
    return at[0] == 'P' && at[1] == 'K' && at[2] == third && at[3] == third + 1;
}

/* Where the record at the end begins, as zipimport looks for it; `size` where there is none. */
static size_t find_end(const uint8_t *from, size_t size)
{
    if (size < END) return size;
    for (size_t at = size - END;; at--) {
        if (begins(from + at, 5)) return at;
        if (at == 0 || at == size - END - COMMENT_MAX) return size;
    }
}

/* "pkg/main.py" of the module "pkg/main": what follows the module's name begins with a dot. In
 * __pycache__ beside it, too. */
static bool is_module(const char *name, size_t size, const char *module, size_t length)
{
    static const char cache[] = "__pycache__/";
    size_t folder = length;
    while (folder > 0 && module[folder - 1] != '/') folder--;
    if (size > length && memcmp(name, module, length) == 0 && name[length] == '.') return true;
    size_t more = sizeof cache - 1;
    return size > length + more && memcmp(name, module, folder) == 0 &&
           memcmp(name + folder, cache, more) == 0 &&
           memcmp(name + folder + more, module + folder, length - folder) == 0 &&
           name[length + more] == '.';
}

struct archive {
    const uint8_t *from;
    size_t size, entries, end, before; /* before: bytes in front of the archive */
};

static bool find(struct archive *archive, const uint8_t *from, size_t size)
{
    size_t end = find_end(from, size);
    if (end == size) return false;
    uint64_t entries = four(from + end + 12), offset = four(from + end + 16);
    if (entries > end || offset > end - entries || two(from + end + 4) != 0) return false;
    *archive = (struct archive){from, size, end - entries, end, end - entries - offset};
    return true;
}

/* Visits each entry: copies it to `to`, or where it is the module's, blanks it there. */
static bool each(const struct archive *archive, uint8_t *to, const char *module, size_t length)
{
    for (size_t at = archive->entries; at < archive->end;) {
        const uint8_t *entry = archive->from + at;
        if (archive->end - at < CENTRAL || !begins(entry, 1)) return false;
        size_t name = two(entry + 28), rest = name + two(entry + 30) + two(entry + 32);
        if (archive->end - at - CENTRAL < rest) return false;
        uint64_t start = four(entry + 42) + archive->before, packed = four(entry + 20);
        if (start > archive->size || archive->size - start < LOCAL) return false;
        const uint8_t *local = archive->from + start;
        uint64_t whole = LOCAL + (uint64_t)two(local + 26) + two(local + 28) + packed;
        if (archive->size - start < whole) return false;
        if (!module)
            memcpy(to + start, local, whole);
        else if (is_module((const char *)entry + CENTRAL, name, module, length))
            memset(to + start, 0, whole);
        at += CENTRAL + rest;
    }
    return true;
}

bool zip_copy(uint8_t *to, const uint8_t *from, size_t size)
{
    struct archive archive;
    if (!find(&archive, from, size) || !each(&archive, to, NULL, 0)) return false;
    memcpy(to + archive.entries, from + archive.entries, size - archive.entries);
    return true;
}

bool zip_blank(uint8_t *bytes, size_t size, const char *member)
{
    struct archive archive;
    size_t length = strlen(member);
    while (length > 0 && member[length - 1] != '.' && member[length - 1] != '/') length--;
    if (length == 0 || member[length - 1] != '.') return false;
    return find(&archive, bytes, size) && each(&archive, bytes, member, length - 1);
}
