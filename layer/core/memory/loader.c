/* The loader's functions that libc keeps to itself, up to glibc 2.33 dlopen's way past the doors of
 * dlopen and dlsym. libc's own libraries need them; nobody else does. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "files/files.h"
#include "guard/guard.h"
#include "events/attempts.h"
#include "memory/native.h"
#include "libc/symbols.h"

static bool is_libc(const void *caller)
{
    static const char *const own[] = {"__libc_start_main", "pthread_create", "aio_read",
                                      "getaddrinfo_a", "ns_name_ntop"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (symbols_defines(caller, own[i])) return symbols_early(caller);
    return false;
}

static bool refusing_loader(const char *verb, const char *name, const void *caller)
{
    return !is_libc(caller) && integrity_refused(verb, name ? name : "", caller);
}

/* The loader itself calls its internal copy, so this door is only for others. */
extern int _dl_make_stack_executable(void **);
DOOR int _dl_make_stack_executable(void **end)
{
    if (guard_ready() &&
        native_protect_refused(end ? *end : NULL, 1, PROT_READ | PROT_WRITE | PROT_EXEC, CALLER()))
        return EACCES;
    return real._dl_make_stack_executable(end);
}

extern int __nptl_change_stack_perm(void *);
DOOR int __nptl_change_stack_perm(void *thread)
{
    if (guard_ready() &&
        native_protect_refused(NULL, 1, PROT_READ | PROT_WRITE | PROT_EXEC, CALLER()))
        return EACCES;
    return real.__nptl_change_stack_perm(thread);
}

/* Replaces these pages by other pages of the same file. */
extern int remap_file_pages(void *, size_t, int, size_t, int);
DOOR int remap_file_pages(void *start, size_t size, int protection, size_t page, int flags)
{
    if (UNLIKELY(files_memory_protected(start, size)) && guard_ready() &&
        integrity_refused("change", "the guard's memory", CALLER()))
        return -1;
    return real.remap_file_pages(start, size, protection, page, flags);
}

#include "doors_loader.gen.h"
