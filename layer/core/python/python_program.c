#include "python/python_program.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

struct table {
    const uint32_t *gnu_hash;
    const ElfW(Sym) * symbols;
    const char *strings;
    const ElfW(Rela) * relocations, *calls; /* the first without the relative ones at its head */
    size_t relocation_count, call_count;
    bool needs_libpython;
};

static const ElfW(Dyn) * find_dynamic(uintptr_t *base)
{
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    *base = 0;
    if (!headers) return NULL;
    for (unsigned long i = 0; i < count; i++)
        if (headers[i].p_type == PT_PHDR) *base = (uintptr_t)headers - headers[i].p_vaddr;
    for (unsigned long i = 0; i < count; i++)
        if (headers[i].p_type == PT_DYNAMIC) return (const ElfW(Dyn) *)(*base + headers[i].p_vaddr);
    return NULL;
}

static bool read_table(struct table *table)
{
    uintptr_t base;
    const ElfW(Dyn) *dynamic = find_dynamic(&base);
    size_t relative = 0;
    *table = (struct table){0};
    for (const ElfW(Dyn) *at = dynamic; at && at->d_tag != DT_NULL; at++) {
        /* glibc relocates these in place, except in objects whose dynamic section is read-only. */
        uintptr_t address = at->d_un.d_ptr < base ? at->d_un.d_ptr + base : at->d_un.d_ptr;
        switch (at->d_tag) {
        case DT_GNU_HASH: table->gnu_hash = (const uint32_t *)address; break;
        case DT_SYMTAB: table->symbols = (const ElfW(Sym) *)address; break;
        case DT_STRTAB: table->strings = (const char *)address; break;
        case DT_RELA: table->relocations = (const ElfW(Rela) *)address; break;
        case DT_RELASZ: table->relocation_count = at->d_un.d_val / sizeof(ElfW(Rela)); break;
        case DT_RELACOUNT: relative = at->d_un.d_val; break;
        case DT_JMPREL: table->calls = (const ElfW(Rela) *)address; break;
        case DT_PLTRELSZ: table->call_count = at->d_un.d_val / sizeof(ElfW(Rela)); break;
        }
    }
    if (!table->symbols || !table->strings) return false;
    for (const ElfW(Dyn) *at = dynamic; at->d_tag != DT_NULL; at++)
        if (at->d_tag == DT_NEEDED && strncmp(table->strings + at->d_un.d_val, "libpython", 9) == 0)
            table->needs_libpython = true;
    if (!table->relocations || relative > table->relocation_count)
        relative = table->relocation_count;
    table->relocations += relative;
    table->relocation_count -= relative;
    return true;
}

static const char *name_of(const struct table *table, size_t symbol)
{
    return table->strings + table->symbols[symbol].st_name;
}

/* The last is 3.7's. */
static const char *const mains[] = {"Py_BytesMain", "Py_Main", "_Py_UnixMain"};

static bool is_main(const char *name)
{
    for (size_t i = 0; i < sizeof mains / sizeof *mains; i++)
        if (strcmp(name, mains[i]) == 0) return true;
    return false;
}

static bool defines(const struct table *table, const char *name)
{
    const uint32_t *head = table->gnu_hash;
    if (!head || head[0] == 0) return false;
    uint32_t hash = 5381, buckets = head[0], first = head[1], words = head[2];
    for (const unsigned char *at = (const unsigned char *)name; *at; at++) hash = hash * 33 + *at;
    const uint32_t *bucket = head + 4 + (size_t)words * (sizeof(ElfW(Addr)) / sizeof *head);
    uint32_t index = bucket[hash % buckets];
    if (index < first) return false;
    for (;; index++) {
        uint32_t value = (bucket + buckets)[index - first];
        if ((value | 1) == (hash | 1) && strcmp(name_of(table, index), name) == 0) return true;
        if (value & 1) return false;
    }
}

static bool refers(const struct table *table, const ElfW(Rela) * entries, size_t count)
{
    for (size_t i = 0; entries && i < count; i++) {
        size_t symbol = ELF64_R_SYM(entries[i].r_info);
        if (symbol != 0 && is_main(name_of(table, symbol))) return true;
    }
    return false;
}

bool python_program_embeds(void)
{
    struct table table;
    return read_table(&table) && (table.needs_libpython || defines(&table, "Py_InitializeEx"));
}

bool python_program_is_interpreter(void)
{
    struct table table;
    if (!read_table(&table)) return false;
    for (size_t i = 0; i < sizeof mains / sizeof *mains; i++)
        if (defines(&table, mains[i])) return true;
    return table.needs_libpython && (refers(&table, table.calls, table.call_count) ||
                                     refers(&table, table.relocations, table.relocation_count));
}
