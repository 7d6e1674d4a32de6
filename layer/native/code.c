/* Doors through which a program gets at functions and libraries, and changes memory. */
#include <dlfcn.h>
#include <link.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "door_names.h"
#include "files.h"
#include "guard.h"
#include "native.h"
#include "symbols.h"

struct row {
    const char *name;
    void *door;
    void **real;
};

/* A door for each row of the table, without a pointer in it: the loader has nothing to relocate at start. */
#define FS_DOOR(symbol, slot, family, own) ".long " #symbol " - function_shield_doors\n"
__asm__(".pushsection .rodata.doors, \"a\"\n.p2align 2\n.hidden function_shield_doors\n.globl function_shield_doors\n"
        "function_shield_doors:\n"
#include "doors.gen.h"
        ".popsection\n");
#undef FS_DOOR
extern const int32_t function_shield_doors[] __attribute__((visibility("hidden")));

static bool find_door(const char *name, struct row *row)
{
    for (unsigned i = 0; i < DOOR_COUNT; i++) {
        if (door_name(i)[0] != name[0] || strcmp(door_name(i), name) != 0) continue;
        *row = (struct row){door_name(i), (void *)((uintptr_t)function_shield_doors + (uintptr_t)(intptr_t)function_shield_doors[i]),
                            door_slot(i)};
        return true;
    }
    return false;
}

/* What dlsym gave for a door's name: libc's own function becomes the door; somebody else's function of that name stays. */
static void *answer(const struct row *row, void *found)
{
    struct symbols_object theirs, next;
    if (!found) return NULL;
    /* A door that this libc has no function behind is none: what follows us answers, with dlerror's words. */
    if (!*row->real) return found == row->door ? real.dlsym(RTLD_NEXT, row->name) : found;
    /* Where libc has it for old programs only, it has none for this caller either. */
    if (found == row->door) return real.dlsym(RTLD_NEXT, row->name) ? found : NULL;
    if (found == *row->real) return row->door;
    if (!symbols_object_of(found, &theirs) || !symbols_object_of(*row->real, &next)) return row->door;
    return theirs.base == next.base ? row->door : found;
}

/* A library that was preloaded behind us and stands before the same function: it must get the next one, or it would call
 * itself through us. Only what the loader mapped before the program's first line can be one. */
static bool is_interposer(const void *caller, const char *name) { return symbols_defines(caller, name) && symbols_early(caller); }

DOOR void *dlsym(void *handle, const char *name)
{
    if (UNLIKELY(!real.dlsym)) guard_start();
    struct row row;
    /* In its place, so that libc sees who asked. */
    if (LIKELY(!name || !guard_ready() || !find_door(name, &row))) __attribute__((musttail)) return real.dlsym(handle, name);
    if (handle == RTLD_NEXT) {
        if (is_interposer(CALLER(), name)) __attribute__((musttail)) return real.dlsym(handle, name);
        return *row.real ? row.door : NULL;
    }
    return answer(&row, real.dlsym(handle, name));
}

DOOR void *dlvsym(void *handle, const char *name, const char *version)
{
    if (UNLIKELY(!real.dlvsym)) guard_start();
    struct row row;
    if (LIKELY(!name || !guard_ready() || !find_door(name, &row))) __attribute__((musttail)) return real.dlvsym(handle, name, version);
    if (handle == RTLD_NEXT) {
        if (is_interposer(CALLER(), name)) __attribute__((musttail)) return real.dlvsym(handle, name, version);
        return *row.real ? row.door : NULL;
    }
    return answer(&row, real.dlvsym(handle, name, version));
}

static bool library_refused(const char *path, const void *caller)
{
    struct judged judged;
    if (!path || !strchr(path, '/') || files_idle()) return false;
    judged.verdict = files_judge_path(AT_FDCWD, path, O_RDONLY, judged.path, &judged.family);
    judged.verb = "load";
    return judged.verdict.mode != FS_ALLOW && files_refuse(&judged, caller);
}

/* A library that looks its symbols up in itself and what it needs, before the program's, would find libc's functions and none
 * of the doors. It is loaded, and finds the doors. */
static int without_deepbind(int mode, const char *path, const void *caller)
{
    if (LIKELY(!(mode & RTLD_DEEPBIND))) return mode;
    int error = errno;
    struct fs_verdict verdict = guard_integrity();
    /* Where nothing blocks it stays as it is; what the library does then passes no door, which somebody should know. */
    if (verdict.mode == FS_ALLOW) verdict.mode = verdict.policy_mode = FS_ALERT;
    struct guard_act act = {.ring = RING_LIBC, .family = FS_INTEGRITY, .verb = "bind past the guard", .path = path ? path : "", .caller = caller};
    guard_report(&act, &verdict, NULL, 0);
    errno = error;
    return verdict.mode == FS_BLOCK ? mode & ~RTLD_DEEPBIND : mode;
}

/* Callers ask dlerror() why, and Node dies of having no answer: a path that can never lead anywhere gives them one. */
static void *say_refused(const char *path)
{
    char words[512] = "/dev/null/refused by function_shield: ";
    size_t at = strlen(words), size = path ? strnlen(path, sizeof words - 1 - at) : 0;
    if (size > 0) memcpy(words + at, path, size);
    words[at + size] = '\0';
    (void)real.dlopen(words, RTLD_LAZY);
    errno = EACCES;
    return NULL;
}

DOOR void *dlopen(const char *path, int mode)
{
    if (UNLIKELY(!real.dlopen)) guard_start();
    if (guard_ready()) {
        if (library_refused(path, CALLER()) || native_library_refused(path, CALLER())) return say_refused(path);
        mode = without_deepbind(mode, path, CALLER());
    }
    __attribute__((musttail)) return real.dlopen(path, mode);
}

/* Reports an attempt on the guard; true where it is refused. */
bool integrity_refused(const char *verb, const char *object, const void *caller)
{
    struct fs_verdict verdict = guard_integrity();
    if (verdict.mode == FS_ALLOW) return false;
    struct guard_act act = {.ring = RING_LIBC, .family = FS_INTEGRITY, .verb = verb, .path = object, .caller = caller};
    guard_report(&act, &verdict, NULL, 0);
    if (verdict.mode != FS_BLOCK) return false;
    errno = EACCES;
    return true;
}

/* A second libc in a namespace of its own would have no doors. */
DOOR void *dlmopen(Lmid_t namespace, const char *path, int mode)
{
    if (UNLIKELY(!real.dlmopen)) guard_start();
    if (guard_ready()) {
        if (namespace != LM_ID_BASE && integrity_refused("load a second libc beside", path ? path : "", CALLER())) return NULL;
        if (library_refused(path, CALLER()) || native_library_refused(path, CALLER())) return say_refused(path);
        mode = without_deepbind(mode, path, CALLER());
    }
    __attribute__((musttail)) return real.dlmopen(namespace, path, mode);
}

static bool memory_refused(const void *start, size_t size, const void *caller)
{
    return UNLIKELY(files_memory_protected(start, size)) && guard_ready() &&
           integrity_refused("change", "the guard's memory", caller);
}

static bool protection_refused(void *start, size_t size, int protection, const void *caller)
{
    return UNLIKELY(protection & PROT_EXEC) && guard_ready() && native_protect_refused(start, size, protection, caller);
}

DOOR int mprotect(void *start, size_t size, int protection)
{
    if (memory_refused(start, size, CALLER()) || protection_refused(start, size, protection, CALLER())) return -1;
    if (UNLIKELY(!real.mprotect)) guard_start();
    return real.mprotect(start, size, protection);
}

DOOR int pkey_mprotect(void *start, size_t size, int protection, int key)
{
    if (memory_refused(start, size, CALLER()) || protection_refused(start, size, protection, CALLER())) return -1;
    if (UNLIKELY(!real.pkey_mprotect)) guard_start();
    if (!real.pkey_mprotect) {
        errno = ENOSYS;
        return -1;
    }
    return real.pkey_mprotect(start, size, protection, key);
}

DOOR int munmap(void *start, size_t size)
{
    if (memory_refused(start, size, CALLER())) return -1;
    if (UNLIKELY(!real.munmap)) guard_start();
    return real.munmap(start, size);
}

DOOR void *mremap(void *start, size_t size, size_t new_size, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    void *target = va_arg(list, void *);
    va_end(list);
    if (memory_refused(start, size, CALLER())) return MAP_FAILED;
    if ((flags & MREMAP_FIXED) && memory_refused(target, new_size, CALLER())) return MAP_FAILED;
    if (UNLIKELY(!real.mremap)) guard_start();
    return real.mremap(start, size, new_size, flags, target);
}

DOOR void *mmap(void *start, size_t size, int protection, int flags, int fd, off_t offset)
{
    if ((flags & MAP_FIXED) && memory_refused(start, size, CALLER())) return MAP_FAILED;
    if (UNLIKELY(protection & PROT_EXEC) && guard_ready() && native_map_refused(protection, flags, fd, CALLER())) return MAP_FAILED;
    if (UNLIKELY(!real.mmap)) guard_start();
    return real.mmap(start, size, protection, flags, fd, offset);
}

/* MADV_DONTNEED would turn the policy into zeros, which allow. */
DOOR int madvise(void *start, size_t size, int advice)
{
    if (memory_refused(start, size, CALLER())) return -1;
    if (UNLIKELY(!real.madvise)) guard_start();
    return real.madvise(start, size, advice);
}

#include "aliases_code.gen.h"
