/* Doors of SQLite, and of ADBC's driver manager, which loads libraries in the same way.
 *
 * load_extension(file, entry) calls any exported function of any library with pointers as its
 * arguments: only names that extensions give their entries pass. fts3_tokenizer(name, ?) takes a
 * pointer to a table of functions out of a blob. Before 3.20, so do R-Tree's MATCH and what FTS3
 * calls on a column.
 *
 * The doors are those of libsqlite3, and of a copy inside an extension module that exports its
 * symbols. */
#include "memory/sqlite.h"

#include <dlfcn.h>
#include <string.h>
#include <strings.h>

#include "guard/guard.h"
#include "memory/native.h"
#include "support/text.h"
#include "cpython/python.h"
#include "libc/symbols.h"

static const char pass_address[] = "pass an address by";
static const char tokenizer[] = "fts3_tokenizer";

/* ---- entries of extensions ---- */

static bool ends(const char *name, const char *with)
{
    return strlen(name) > strlen(with) && text_ends(name, with);
}

/* sqlite3_NAME_init; and what interpreters that SQLite is built into look for in libraries of their
 * own. Of ADBC: AdbcDriverInit, AdbcNAMEInit, NAMEDriverInit, NAME_adbc_init. */
static bool is_entry(const char *name)
{
    static const char *const others[] = {
        "PyInit_", "PyInitU_",    "PyModExport_", "napi_",
        "node_",   "bind_engine", "v_check",      "OSSL_provider_init"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (text_begins(name, others[i])) return true;
    return (text_begins(name, "sqlite3_") && strlen(name) > 12 && ends(name, "init")) ||
           (text_begins(name, "Adbc") && ends(name, "Init")) || ends(name, "DriverInit") ||
           ends(name, "_adbc_init");
}

static bool calls_by_name(const void *caller)
{
    struct symbols_object object, interpreter;
    if (!symbols_object_of(caller, &object)) return false;
    const char *slash = strrchr(object.path, '/');
    if (strstr(slash ? slash + 1 : object.path, "sqlite") ||
        symbols_defines(caller, "sqlite3_load_extension") ||
        symbols_defines(caller, "AdbcLoadDriver") ||
        symbols_defines(caller, "_ZN2v82V818SetFlagsFromStringEPKcm")) /* Node */
        return true;
    /* A Python with everything built in: its ctypes asks for any name, and was judged when it was
     * imported. */
    return python.PySys_AddAuditHook &&
           !atomic_load_explicit(&native_bridge_known, memory_order_relaxed) &&
           symbols_object_of((const void *)(uintptr_t)python.PySys_AddAuditHook, &interpreter) &&
           interpreter.base == object.base;
}

bool sqlite_entry_refused(const void *handle, const char *name, const void *caller)
{
    if (handle == RTLD_DEFAULT || handle == RTLD_NEXT || guard_ignores(FS_NATIVE)) return false;
    if (is_entry(name)) return native_go_refused(real.dlsym((void *)handle, name), caller);
    return calls_by_name(caller) && native_refused("call as an extension's entry", name, caller);
}

/* ---- fts3_tokenizer ---- */

/* Reads the caller's own text, which SQLite reads again: code that could rewrite it in between
 * would have access to the memory already. The name stands in it literally, because SQL has no
 * escapes for names. */
static bool names_tokenizer(const char *sql, int size)
{
    size_t left = !sql       ? 0
                  : size < 0 ? strlen(sql)
                             : strnlen(sql, (size_t)size),
           wanted = sizeof tokenizer - 1;
    for (const char *at = sql; left >= wanted; at++, left--) {
        const char *next =
            memchr(at, '_', left); /* the one byte of it that has no case, and is rare */
        if (!next) return false;
        left -= (size_t)(next - at);
        at = next;
        if (at - sql >= 4 && left >= wanted - 4 && strncasecmp(at - 4, tokenizer, wanted) == 0)
            return true;
    }
    return false;
}

/* ---- before 3.20 ---- */

/* An SQLite that takes pointers out of blobs was opened. */
static atomic_bool takes_blobs;

static bool is_word(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static const char *find(const char *sql, size_t size, const char *word)
{
    size_t wanted = strlen(word);
    for (size_t i = 0; i + wanted <= size; i++)
        if ((sql[i] | 32) == word[0] && strncasecmp(sql + i, word, wanted) == 0) return sql + i;
    return NULL;
}

/* What stands behind the name, and the quote that may close it, is an argument list or a comment.
 */
static bool is_called(const char *sql, size_t size, const char *name)
{
    for (const char *end = sql + size, *at = sql;
         (at = find(at, (size_t)(end - at), name)) != NULL;) {
        bool begins_here = at == sql || !is_word(at[-1]);
        at += strlen(name);
        const char *next = at;
        while (next < end && strchr("\"'`] \t\r\n\f", *next)) next++;
        if (begins_here && next < end && strchr("(/-", *next)) return true;
    }
    return false;
}

/* R-Tree's MATCH takes the address of a function from a blob. snippet and its like take that of a
 * cursor from a column. Schemas are read by sqlite3_prepare too. */
static const char *old_pointer(const char *sql, int size)
{
    static const char *const functions[] = {"snippet", "offsets", "matchinfo", "optimize"};
    size_t length = !sql ? 0 : size < 0 ? strlen(sql) : strnlen(sql, (size_t)size);
    const char *module = find(sql, length, "virtual");
    if (module && find(module, length - (size_t)(module - sql), "rtree")) return "rtree";
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (is_called(sql, length, functions[i])) return functions[i];
    return NULL;
}

static void note_version(const void *caller)
{
    int (*version)(void) = (int (*)(void))symbols_behind(caller, "sqlite3_libversion_number");
    if (UNLIKELY(version && version() < 3020000)) takes_blobs = true;
}

static bool is_refused(const char *sql, int size, const void *caller)
{
    if (guard_ignores(FS_NATIVE)) return false;
    const char *name = names_tokenizer(sql, size) ? tokenizer : NULL;
    if (!name && UNLIKELY(atomic_load_explicit(&takes_blobs, memory_order_relaxed)))
        name = old_pointer(sql, size);
    return name && native_refused(pass_address, name, caller);
}

/* SQL that fails with an error of SQLite's own, as callers expect. */
static const char refusal[] = "\"function_shield refuses an address\"";

#define PREPARE(name, parameters, after)                                                           \
    DOOR int name parameters                                                                       \
    {                                                                                              \
        __typeof__(real.name) next = (__typeof__(real.name))symbols_behind(CALLER(), #name);       \
        if (!next) return 1 /* SQLITE_ERROR */;                                                    \
        if (!guard_ready() || !is_refused(sql, size, CALLER())) return next after;                 \
        const char *given = sql;                                                                   \
        sql = refusal;                                                                             \
        size = -1;                                                                                 \
        const char **wanted_tail = tail, *ignored;                                                 \
        tail = &ignored;                                                                           \
        int result = next after;                                                                   \
        if (wanted_tail) *wanted_tail = given;                                                     \
        return result;                                                                             \
    }

extern int sqlite3_prepare(void *, const char *, int, void **, const char **);
extern int sqlite3_prepare_v2(void *, const char *, int, void **, const char **);
extern int sqlite3_prepare_v3(void *, const char *, int, unsigned, void **, const char **);
PREPARE(sqlite3_prepare,
        (void *database, const char *sql, int size, void **statement, const char **tail),
        (database, sql, size, statement, tail))
PREPARE(sqlite3_prepare_v2,
        (void *database, const char *sql, int size, void **statement, const char **tail),
        (database, sql, size, statement, tail))
PREPARE(sqlite3_prepare_v3,
        (void *database, const char *sql, int size, unsigned flags, void **statement,
         const char **tail),
        (database, sql, size, flags, statement, tail))

/* In an old SQLite, a view or trigger can name it where no caller's text does. So where the rule
 * blocks, each connection gets another function of that name, which the program cannot remove. */
typedef int create_function(void *, const char *, int, int, void *, void (*)(void *, int, void **),
                            void *, void *);
typedef void result_error(void *, const char *, int);
static _Atomic(result_error *) say_error;

static void refuse_tokenizer(void *context, int count, void **values)
{
    (void)count;
    (void)values;
    result_error *say = say_error;
    native_refused(pass_address, tokenizer, (const void *)(uintptr_t)say);
    if (say) say(context, refusal, -1);
}

static void replace_tokenizer(void *database, const void *caller)
{
    if (!database || !guard_ready() || guard_ignores(FS_NATIVE)) return;
    note_version(caller);
    if (native_decide(NULL, NULL).mode != FS_BLOCK) return;
    create_function *create = (create_function *)symbols_behind(caller, "sqlite3_create_function");
    result_error *say = (result_error *)symbols_behind(caller, "sqlite3_result_error");
    if (!create || !say) return;
    say_error = say;
    for (int arguments = 1; arguments <= 2; arguments++)
        create(database, tokenizer, arguments, 5 /* SQLITE_ANY */, NULL, refuse_tokenizer, NULL,
               NULL);
}

extern int sqlite3_open(const char *, void **);
DOOR int sqlite3_open(const char *name, void **database)
{
    __typeof__(real.sqlite3_open) next = (__typeof__(next))symbols_behind(CALLER(), "sqlite3_open");
    int result = next ? next(name, database) : 1;
    if (result == 0) replace_tokenizer(*database, CALLER());
    return result;
}

extern int sqlite3_open_v2(const char *, void **, int, const char *);
DOOR int sqlite3_open_v2(const char *name, void **database, int flags, const char *system)
{
    __typeof__(real.sqlite3_open_v2) next =
        (__typeof__(next))symbols_behind(CALLER(), "sqlite3_open_v2");
    int result = next ? next(name, database, flags, system) : 1;
    if (result == 0) replace_tokenizer(*database, CALLER());
    return result;
}

#include "doors_sqlite.gen.h"
