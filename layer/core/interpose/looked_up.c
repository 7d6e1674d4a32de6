/* Doors of dlsym and its like, which return the doors. */
#include <dlfcn.h>
#include <string.h>

#include "guard/guard.h"
#include "libc/absent.h"
#include "libc/door_names.h"
#include "libc/symbols.h"
#include "memory/sqlite.h"
#include "support/copied.h"

struct row {
    const char *name;
    void *door;
    void **real;
};

/* A door for each row of the table, without a pointer in it: the loader has nothing to relocate at
 * start. */
#define FS_DOOR(symbol, slot, family, own) ".long " #symbol " - function_shield_doors\n"
__asm__(".pushsection .rodata.doors, \"a\"\n.p2align 2\n.hidden function_shield_doors\n.globl "
        "function_shield_doors\n"
        "function_shield_doors:\n"
#include "doors.gen.h"
        ".popsection\n");
#undef FS_DOOR
extern const int32_t function_shield_doors[] __attribute__((visibility("hidden")));

static bool find_door(const char *name, struct row *row)
{
    for (unsigned i = 0; i < DOOR_COUNT; i++) {
        if (door_name(i)[0] != name[0] || strcmp(door_name(i), name) != 0) continue;
        *row = (struct row){door_name(i),
                            (void *)((uintptr_t)function_shield_doors +
                                     (uintptr_t)(intptr_t)function_shield_doors[i]),
                            door_slot(i)};
        return true;
    }
    return false;
}

/* Replaces the result of dlsym for a door's name: libc's own function becomes the door; another
 * library's function of that name stays. */
static void *answer(const struct row *row, void *found)
{
    struct symbols_object theirs, next;
    if (!found) return NULL;
    /* A door without a function in this libc does not count: the next library answers, and sets
     * dlerror's text. */
    if (absent_is(row->real)) return found == row->door ? real.dlsym(RTLD_NEXT, row->name) : found;
    /* libc exports it to old programs only: then dlsym finds nothing for this caller either. */
    if (found == row->door) return real.dlsym(RTLD_NEXT, row->name) ? found : NULL;
    if (found == *row->real) return row->door;
    if (!symbols_object_of(found, &theirs) || !symbols_object_of(*row->real, &next))
        return row->door;
    return theirs.base == next.base ? row->door : found;
}

/* A library that was preloaded behind the guard and interposes the same function. It must get the
 * next definition, or it would call itself through the guard. Only libraries that the loader mapped
 * before the program's first line can be one. */
static bool is_interposer(const void *caller, const char *name)
{
    return symbols_defines(caller, name) && symbols_early(caller);
}

/* Looked up in place of a refused entry, because callers expect text from dlerror. */
static const char no_entry[] = "(refused by function_shield)";

/* Returns a copy of the name, or, if it is refused, a name that no library has. The door ends in
 * a tail call of libc's function, so that libc sees the caller. So a short copy must lie outside
 * the door's frame. A long copy lies in it, which is no loss: no door has a name that long, so
 * the door can call libc in the plain way. */
static const char *judged_name(const void *handle, const char *name, char own[PATH_MAX],
                               const void *caller)
{
    struct path copy = copied_short(copied_last, name);
    if (UNLIKELY(copy.size == COPIED_SHORT)) copied_long(&copy, own, name);
    return sqlite_entry_refused(handle, copy.text, caller) ? no_entry
                                                           : COPIED_BY_HAND(copy.text, name);
}

DOOR void *dlsym(void *handle, const char *name)
{
    if (UNLIKELY(!real.dlsym)) guard_start();
    (void)SYMBOLS_HAVE(dlsym); /* before glibc 2.34 in libdl */
    bool ready = name != NULL && guard_ready();
    struct row row;
    if (ready) {
        char own[PATH_MAX];
        name = judged_name(handle, name, own, CALLER());
        if (UNLIKELY(name == own)) return real.dlsym(handle, name);
    }
    if (LIKELY(!ready || !find_door(name, &row))) __attribute__
        ((musttail)) return real.dlsym(handle, name);
    if (handle == RTLD_NEXT) {
        if (is_interposer(CALLER(), name)) __attribute__
            ((musttail)) return real.dlsym(handle, name);
        return absent_is(row.real) ? NULL : row.door;
    }
    return answer(&row, real.dlsym(handle, name));
}

DOOR void *dlvsym(void *handle, const char *name, const char *version)
{
    if (UNLIKELY(!real.dlvsym)) guard_start();
    (void)SYMBOLS_HAVE(dlvsym); /* before glibc 2.34 in libdl */
    bool ready = name != NULL && guard_ready();
    struct row row;
    if (ready) {
        char own[PATH_MAX];
        name = judged_name(handle, name, own, CALLER());
        if (UNLIKELY(name == own)) return real.dlvsym(handle, name, version);
    }
    if (LIKELY(!ready || !find_door(name, &row))) __attribute__
        ((musttail)) return real.dlvsym(handle, name, version);
    if (handle == RTLD_NEXT) {
        if (is_interposer(CALLER(), name)) __attribute__
            ((musttail)) return real.dlvsym(handle, name, version);
        return absent_is(row.real) ? NULL : row.door;
    }
    return answer(&row, real.dlvsym(handle, name, version));
}
