#include "libc/symbols.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "libc/absent.h"
#include "libc/door_names.h"
#include "support/copied.h"
#include "support/hints.h"
#include "support/sys.h"

enum { PAGE = 4096 };

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

static struct link_map *objects;

/* The list of objects, through the program's DT_DEBUG: no symbol of the loader is needed, and no
 * lock is taken. */
static struct link_map *find_objects(void)
{
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    uintptr_t base = 0;
    const ElfW(Dyn) *dynamic = NULL;
    if (!headers) return NULL;
    for (unsigned long i = 0; i < count; i++)
        if (headers[i].p_type == PT_PHDR) base = (uintptr_t)headers - headers[i].p_vaddr;
    for (unsigned long i = 0; i < count; i++)
        if (headers[i].p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)(base + headers[i].p_vaddr);
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++)
        if (dynamic->d_tag == DT_DEBUG && dynamic->d_un.d_ptr)
            return ((const struct r_debug *)dynamic->d_un.d_ptr)->r_map;
    return NULL;
}

struct table {
    const uint32_t *hash;
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint16_t *versions;
    const ElfW(Rela) * calls; /* of functions of other objects */
    size_t calls_size;
};

static bool read_table(const struct link_map *object, struct table *table)
{
    *table = (struct table){0};
    for (const ElfW(Dyn) *at = object->l_ld; at && at->d_tag != DT_NULL; at++) {
        /* glibc relocates these in place, except in objects whose dynamic section is read-only. */
        uintptr_t value =
            at->d_un.d_ptr < object->l_addr ? at->d_un.d_ptr + object->l_addr : at->d_un.d_ptr;
        if (at->d_tag == DT_GNU_HASH) table->hash = (const uint32_t *)value;
        if (at->d_tag == DT_SYMTAB) table->symbols = (const ElfW(Sym) *)value;
        if (at->d_tag == DT_STRTAB) table->strings = (const char *)value;
        if (at->d_tag == DT_VERSYM) table->versions = (const uint16_t *)value;
        if (at->d_tag == DT_JMPREL) table->calls = (const ElfW(Rela) *)value;
        if (at->d_tag == DT_PLTRELSZ) table->calls_size = at->d_un.d_val;
    }
    return table->hash && table->symbols && table->strings;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *at = (const unsigned char *)name; *at; at++) hash = hash * 33 + *at;
    return hash;
}

/* The default version of `name` in one object. If there is none, and `take_old`, a version for old
 * programs only. */
static void *find(const struct link_map *object, const struct table *table, const char *name,
                  uint32_t hash, bool take_old)
{
    uint32_t buckets = table->hash[0], first = table->hash[1], words = table->hash[2],
             shift = table->hash[3];
    if (buckets == 0 || words == 0) return NULL;
    const ElfW(Addr) *bloom = (const ElfW(Addr) *)(table->hash + 4);
    ElfW(Addr) word = bloom[(hash / 64) % words];
    if (((word >> (hash % 64)) & (word >> ((hash >> shift) % 64)) & 1) == 0) return NULL;
    const uint32_t *bucket = (const uint32_t *)(bloom + words);
    const uint32_t *chain = bucket + buckets;
    uint32_t index = bucket[hash % buckets];
    if (index < first) return NULL;
    void *old = NULL;
    for (;; index++) {
        uint32_t value = chain[index - first];
        const ElfW(Sym) *symbol = &table->symbols[index];
        bool hidden = table->versions && (table->versions[index] & 0x8000);
        if ((value | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
            strcmp(table->strings + symbol->st_name, name) == 0) {
            void *address = (void *)(object->l_addr + symbol->st_value);
            if (!hidden && ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
                return ((void *(*)(void))address)();
            if (!hidden) return address;
            if (take_old && !old && ELF64_ST_TYPE(symbol->st_info) != STT_GNU_IFUNC) old = address;
        }
        if (value & 1) return old;
    }
}

/* Takes the first definition after this library; the default version only, unless `old`. */
static bool resolve(const uint32_t hashes[DOOR_COUNT], bool old)
{
    bool behind = false;
    for (const struct link_map *object = objects; object; object = object->l_next) {
        if (object->l_ld == _DYNAMIC) {
            behind = true;
            continue;
        }
        struct table table;
        if (!behind || !read_table(object, &table)) continue;
        for (unsigned i = 0; i < DOOR_COUNT; i++) {
            if (!door_is_own(i) || !absent_is(door_slot(i))) continue;
            void *found = find(object, &table, door_name(i), hashes[i], old);
            if (!found) continue;
            *door_slot(i) = found;
            absent_found(door_slot(i));
        }
    }
    return behind;
}

bool symbols_resolve(void)
{
    uint32_t hashes[DOOR_COUNT];
    for (unsigned i = 0; i < DOOR_COUNT; i++)
        if (door_is_own(i)) hashes[i] = gnu_hash(door_name(i));
    objects = find_objects();
    bool behind = resolve(hashes, false);
    /* Old versions come last: libattr exports libc functions in one, and they call syscall(),
     * which is our door. */
    (void)resolve(hashes, true);
    absent_fill();
    return behind;
}

bool symbols_have(void *const *slot)
{
    if (UNLIKELY(absent_is(slot))) symbols_resolve();
    return !absent_is(slot);
}

/* The extent of an object, from its program headers, which lie in its first page. A tool that adds
 * some may have moved them to where only the loader finds them: then code ends before the dynamic
 * section. */
static bool extent(const struct link_map *object, uintptr_t *base, uintptr_t *end)
{
    const ElfW(Phdr) * headers;
    unsigned long count;
    if (object == objects) {
        headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
        count = getauxval(AT_PHNUM);
    } else {
        const ElfW(Ehdr) *file = (const ElfW(Ehdr) *)object->l_addr;
        /* Unreadable: the file asked for an address that was taken. */
        if (!copied_is_readable((uintptr_t)file) || memcmp(file->e_ident, ELFMAG, SELFMAG) != 0)
            return false;
        headers = (const ElfW(Phdr) *)((const char *)file + file->e_phoff);
        count = file->e_phnum;
        if (file->e_phoff > PAGE || file->e_phoff + count * sizeof *headers > PAGE) {
            *base = object->l_addr;
            *end = (uintptr_t)object->l_ld;
            return true;
        }
    }
    *base = UINTPTR_MAX;
    *end = 0;
    for (unsigned long i = 0; i < count; i++) {
        if (headers[i].p_type != PT_LOAD) continue;
        uintptr_t low = object->l_addr + headers[i].p_vaddr;
        if (low < *base) *base = low;
        if (low + headers[i].p_memsz > *end) *end = low + headers[i].p_memsz;
    }
    return *end > *base;
}

/* Of the last object that begins before `address`, only: others may be unmapped meanwhile. */
static const struct link_map *object_of(const void *address, uintptr_t *base, uintptr_t *end)
{
    /* Other threads add and remove entries under libc's lock, but the names and tables of an object
     * whose code is running (the caller's) stay. The walk is bounded. */
    unsigned steps = 0;
    const struct link_map *found = NULL;
    for (const struct link_map *object = objects; object && steps < 4096;
         object = object->l_next, steps++)
        if (object->l_addr <= (uintptr_t)address && (!found || object->l_addr > found->l_addr))
            found = object;
    return found && extent(found, base, end) && (uintptr_t)address >= *base &&
                   (uintptr_t)address < *end
               ? found
               : NULL;
}

bool symbols_object_of(const void *address, struct symbols_object *found)
{
    const struct link_map *object = object_of(address, &found->base, &found->end);
    if (!object) return false;
    found->path = object->l_name ? object->l_name : "";
    return true;
}

bool symbols_defines(const void *address, const char *name)
{
    uintptr_t base, end;
    const struct link_map *object = object_of(address, &base, &end);
    struct table table;
    return object && read_table(object, &table) &&
           find(object, &table, name, gnu_hash(name), true) != NULL;
}

static const struct link_map *last_early;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool needs(const struct link_map *object, const struct table *table, const char *name)
{
    for (const ElfW(Dyn) *at = object->l_ld; at->d_tag != DT_NULL; at++)
        if (at->d_tag == DT_NEEDED && strcmp(base_name(table->strings + at->d_un.d_val), name) == 0)
            return true;
    return false;
}

void *symbols_behind(const void *caller, const char *name)
{
    uintptr_t base, end;
    const struct link_map *object = object_of(caller, &base, &end);
    struct table own, table;
    uint32_t hash = gnu_hash(name);
    void *found = NULL, *other = NULL;
    bool readable = object && read_table(object, &own), early = last_early != NULL;
    if (readable) found = find(object, &own, name, hash, true);
    unsigned steps = 0;
    for (const struct link_map *at = objects; at && steps < 4096; at = at->l_next, steps++) {
        void *here = at != object && at->l_ld != _DYNAMIC && read_table(at, &table)
                         ? find(at, &table, name, hash, true)
                         : NULL;
        if (here && early)
            return here; /* of the program and its dependencies, which the loader searches first */
        if (here && !found && readable && needs(object, &own, base_name(at->l_name))) found = here;
        if (!other) other = here;
        if (at == last_early) early = false;
        if (found && !early) break;
    }
    return found ? found : other;
}

void *symbols_of_program(const char *name)
{
    struct table table;
    return objects && read_table(objects, &table)
               ? find(objects, &table, name, gnu_hash(name), true)
               : NULL;
}

/* The loader has made the page read-only after binding (RELRO). */
static bool is_sealed(uintptr_t page)
{
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    for (unsigned long i = 0; i < count; i++) {
        uintptr_t start = objects->l_addr + headers[i].p_vaddr;
        if (headers[i].p_type == PT_GNU_RELRO && page + PAGE > start &&
            page + PAGE <= start + headers[i].p_memsz)
            return true;
    }
    return false;
}

void symbols_rebind(const char *name, void *ours, void **before)
{
    struct table table;
    if (!objects || !read_table(objects, &table) || !table.calls) return;
    for (size_t i = 0; i < table.calls_size / sizeof *table.calls; i++) {
        const ElfW(Rela) *call = &table.calls[i];
        const ElfW(Sym) *symbol = &table.symbols[ELF64_R_SYM(call->r_info)];
        if (strcmp(table.strings + symbol->st_name, name) != 0) continue;
        void **slot = (void **)(objects->l_addr + call->r_offset);
        uintptr_t page = (uintptr_t)slot & ~(uintptr_t)(PAGE - 1);
        bool sealed = is_sealed(page);
        if (sealed && sys_call(SYS_mprotect, page, PAGE, PROT_READ | PROT_WRITE) != 0) return;
        *before = *slot;
        *slot = ours;
        if (sealed) sys_call(SYS_mprotect, page, PAGE, PROT_READ);
        return;
    }
}

void symbols_program_starts(void)
{
    const struct link_map *object = objects;
    while (object && object->l_next) object = object->l_next;
    last_early = object;
}

bool symbols_early(const void *address)
{
    uintptr_t base, end;
    const struct link_map *object = object_of(address, &base, &end);
    if (!last_early) return object != NULL;
    for (const struct link_map *at = objects; at; at = at->l_next) {
        if (at == object) return true;
        if (at == last_early) return false;
    }
    return false;
}
