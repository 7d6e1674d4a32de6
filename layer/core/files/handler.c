/* The handler's source: which files belong to it, and from when on opening them is refused. */
#include "files/handler.h"

#include <limits.h>
#include <string.h>

#include "events/announce.h"
#include "files/source/also.h"
#include "files/files.h"
#include "guard/facts.h"
#include "support/folder.h"
#include "support/sys.h"
#include "support/text.h"
#include "v8/javascript.h"

enum { HANDLERS = 2 * FACTS_HANDLERS, SOURCES = 64 };

static struct {
    unsigned count;
    char module[HANDLERS][256]; /* with slashes: "pkg/mod" */
    uint8_t of[HANDLERS]; /* which of facts_handler() names it */
    _Atomic unsigned unread; /* a bit for each handler that was not read yet */
    _Atomic unsigned found; /* a bit for each that Ruby's `require` has tested */
    _Atomic unsigned sources;
    uint64_t dev[SOURCES], ino[SOURCES];
    uint8_t source_of[SOURCES]; /* which handler, as in `of` */
    _Atomic bool sealed;
} handlers;

bool handler_watch;

static void add_module(unsigned handler, const char *value, size_t size, bool dotted)
{
    if (size == 0 || size >= sizeof handlers.module[0] || handlers.count == HANDLERS) return;
    handlers.of[handlers.count] = (uint8_t)handler;
    atomic_fetch_or(&handlers.unread, 1u << handler);
    char *out = handlers.module[handlers.count++];
    memcpy(out, value, size);
    out[size] = '\0';
    for (char *at = out; dotted && *at; at++)
        if (*at == '.') *at = '/';
}

/* Python's runtime client takes "pkg.mod.function" and "pkg/mod.function": the last dot parts them.
 * Node's takes "src/index.exported.function", Ruby's "src/file.Class.method": the first dot after
 * the last slash. Java's takes "pkg.Class::method" and "pkg.Class". */
static void read_handler(unsigned handler)
{
    const char *value = facts_handler(handler);
    if (!value) return;
    if (value[0] == '.' && value[1] == '/') value += 2;
    bool java = strcmp(guard_program_name, "java") == 0;
    const char *last = java ? strchr(value, ':') : strrchr(value, '.');
    const char *slash = strrchr(value, '/');
    const char *first = strchr(slash ? slash : value, '.');
    add_module(handler, value, last ? (size_t)(last - value) : strlen(value), true);
    if (first && first != last) add_module(handler, value, (size_t)(first - value), false);
}

void handler_read_names(void)
{
    for (unsigned i = 0; i < FACTS_HANDLERS; i++) read_handler(i);
}

/* A bit for each of facts_handler() that names the module of `path`. */
static unsigned handlers_at(const char *path)
{
    unsigned found = 0;
    static const char *const endings[] = {".py",  "/__init__.py", ".pyc", "/__init__.pyc", ".js",
                                          ".mjs", ".cjs",         ".rb",  ".class"};
    size_t size = strlen(path);
    for (unsigned i = 0; i < handlers.count; i++) {
        size_t module = strlen(handlers.module[i]);
        for (unsigned e = 0; e < sizeof endings / sizeof *endings; e++) {
            size_t ending = strlen(endings[e]);
            if (size < module + ending || strcmp(path + size - ending, endings[e]) != 0) continue;
            const char *start = path + size - ending - module;
            if (strncmp(start, handlers.module[i], module) != 0) continue;
            if (start != path && start[-1] != '/') continue;
            /* If Lambda says which folder is the function's, only that one counts: a file of the
             * same name in a dependency is not the handler. */
            size_t root = strlen(guard.task_root);
            size_t before = start == path ? 0 : (size_t)(start - path) - 1;
            if (root > 0 && guard.task_root[root - 1] == '/') root--;
            if (root == 0 || before == 0 ||
                (before == root && strncmp(path, guard.task_root, root) == 0))
                found |= 1u << handlers.of[i];
        }
    }
    return found;
}

bool handler_is_module(const char *path) { return handlers_at(path) != 0; }

/* A package may bring files with the names of compiled forms, so that the real ones find no place
 * in the table. Nothing is left unprotected: where the rule blocks, the function does not start. */
static void no_place(const char *path)
{
    if (guard_blocks(FS_HANDLER, path))
        announce_refused(
            "__pycache__ has more than 60 compiled forms of the handler, so read_handler "
            "cannot protect them all; delete those of other interpreters");
}

static void protect_file(unsigned handler, int dirfd, const char *path)
{
    struct stat status;
    if (sys_fstatat(dirfd, path, &status, 0) != 0 || !S_ISREG(status.st_mode)) return;
    unsigned count = atomic_load(&handlers.sources);
    for (unsigned i = 0; i < count; i++)
        if (handlers.dev[i] == status.st_dev && handlers.ino[i] == status.st_ino) return;
    if (count == SOURCES) {
        no_place(path);
        return;
    }
    handlers.dev[count] = status.st_dev;
    handlers.ino[count] = status.st_ino;
    handlers.source_of[count] = (uint8_t)handler;
    files_watch_name(path);
    atomic_store_explicit(&handlers.sources, count + 1, memory_order_release);
}

/* Every compiled form of STEM in this folder: STEM.*.pyc. */
static void protect_stem(unsigned handler, const char *cache, const char *stem)
{
    size_t stem_size = strlen(stem);
    static char buffer[8192] __attribute__((aligned(8)));
    struct folder folder = FOLDER_AT(cache, buffer);
    if (folder.fd < 0) return;
    for (const char *name; (name = folder_next(&folder)) != NULL;)
        if (strncmp(name, stem, stem_size) == 0 && name[stem_size] == '.')
            protect_file(handler, folder.fd, name);
    sys_close(folder.fd);
}

static void protect_compiled(unsigned handler, const char *folder, const char *stem)
{
    char cache[PATH_MAX];
    if (TEXT_JOIN(cache, sizeof cache, folder, "/__pycache__")) protect_stem(handler, cache, stem);
}

void handler_seal_compiled(const char *prefix, const char *source_path)
{
    char cache[PATH_MAX], stem[256];
    size_t at = strlen(prefix), size = strlen(source_path);
    const char *slash = strrchr(source_path, '/'), *name = slash ? slash + 1 : source_path;
    const char *dot = strrchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : strlen(name);
    if (length >= sizeof stem || at + size + 2 >= sizeof cache) return;
    text_take(stem, sizeof stem, name, length);
    memcpy(cache, prefix, at);
    if (source_path[0] != '/') {
        /* As importlib does for a relative path: the working folder, below the prefix. */
        long folder = sys_call(SYS_getcwd, cache + at, sizeof cache - at - size - 2);
        if (folder <= 1) return;
        at += (size_t)folder - 1;
    }
    cache[at++] = '/';
    memcpy(cache + at, source_path, (size_t)(name - source_path));
    cache[at + (size_t)(name - source_path)] = '\0';
    protect_stem(0, cache, stem);
}

void handler_seal(const char *source_path)
{
    char folder[PATH_MAX], stem[256];
    size_t size = strnlen(source_path, sizeof folder);
    if (size == sizeof folder) return;
    memcpy(folder, source_path, size + 1);
    unsigned named = handlers_at(source_path), handler = named ? (unsigned)__builtin_ctz(named) : 0;
    atomic_fetch_and(&handlers.unread, ~named);
    protect_file(handler, AT_FDCWD, source_path);
    char *slash = strrchr(folder, '/');
    const char *name = slash ? slash + 1 : folder;
    const char *dot = strrchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : strlen(name);
    if (length < sizeof stem) {
        text_take(stem, sizeof stem, name, length);
        if (slash)
            *slash = '\0';
        else
            memcpy(folder, ".", 2);
        protect_compiled(handler, folder, stem);
        /* Beside the source: a sourceless STEM.pyc, or the source of a compiled file; of a bundle,
         * what it was made of. */
        static const char *const beside[2][6] = {
            {".py", ".pyc"}, {".js.map", ".mjs.map", ".cjs.map", ".ts", ".mts", ".cts"}};
        const char *const *endings = beside[dot && strcmp(name + strlen(name) - 2, "js") == 0];
        for (unsigned i = 0; i < 6 && endings[i]; i++) {
            char path[PATH_MAX];
            if (TEXT_JOIN(path, sizeof path, folder, "/", stem, endings[i]))
                protect_file(handler, AT_FDCWD, path);
        }
    }
    atomic_store_explicit(&handlers.sealed, true, memory_order_release);
}

bool handler_is_sealed(void)
{
    return atomic_load_explicit(&handlers.sealed, memory_order_acquire);
}

int handler_source(const struct stat *status)
{
    unsigned count = atomic_load_explicit(&handlers.sources, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        if (handlers.ino[i] == status->st_ino && handlers.dev[i] == status->st_dev)
            return handlers.source_of[i];
    return -1;
}

bool handler_is_source(const struct stat *status) { return handler_source(status) >= 0; }

static bool is_source(int dirfd, const char *path)
{
    struct stat status;
    return path != NULL && sys_fstatat(dirfd, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           handler_is_source(&status);
}

void handler_name_moves(int from_dir, const char *from, int to_dir, const char *to)
{
    if (LIKELY(!handler_is_sealed())) return;
    if (is_source(from_dir, from) || is_source(to_dir, to)) files_watch_everything();
}

bool handler_known(void) { return handlers.count > 0 || handler_guards(); }

bool handler_guards(void) { return handler_is_sealed() || also_is_on; }

/* Without an audit hook the guard does not see when a handler runs. So the first read of a
 * handler seals it (in Ruby the second, because `require` opens a file once to test it). */
void handler_opened(int fd, int flags, const char *plain)
{
    unsigned unread = atomic_load_explicit(&handlers.unread, memory_order_relaxed);
    if (!unread || (flags & O_ACCMODE) != O_RDONLY || (flags & (O_PATH | O_DIRECTORY))) return;
    char magic[32], path[PATH_MAX];
    if (!plain) {
        text_fd_path(magic, fd);
        long size = sys_readlinkat(AT_FDCWD, magic, path, sizeof path - 1);
        if (size <= 0) return;
        path[size] = '\0';
        plain = path;
    }
    unsigned named = handlers_at(plain) & unread;
    if (!named) return;
    if (flags & O_NONBLOCK && strncmp(guard_program_name, "ruby", 4) == 0 &&
        (atomic_fetch_or(&handlers.found, named) & named) != named)
        return;
    /* Called for its effect: notes that this thread's loader has read the file once. */
    (void)javascript_loader_reads((unsigned)__builtin_ctz(named));
    handler_seal(plain);
}

bool handler_describe(char *out, size_t size)
{
    size_t at = 0;
    unsigned count =
        handler_is_sealed() ? atomic_load_explicit(&handlers.sources, memory_order_acquire) : 0;
    for (unsigned i = 0; i < count; i++) {
        if (size - at < 48) return false;
        at += text_number(out + at, handlers.dev[i]);
        out[at++] = '.';
        at += text_number(out + at, handlers.ino[i]);
        out[at++] = ',';
    }
    out[at] = '\0';
    return true;
}

static const char *take_number(const char *text, uint64_t *number)
{
    for (*number = 0; *text >= '0' && *text <= '9'; text++)
        *number = *number * 10 + (uint64_t)(*text - '0');
    return text;
}

void handler_restore(const char *text)
{
    unsigned count = 0;
    while (*text && count < SOURCES) {
        text = take_number(text, &handlers.dev[count]);
        if (*text != '.') break;
        text = take_number(text + 1, &handlers.ino[count++]);
        if (*text != ',') break;
        text++;
    }
    atomic_store(&handlers.sources, count);
    if (count > 0) files_watch_everything(); /* their names are not known here */
    if (count > 0) atomic_store_explicit(&handlers.sealed, true, memory_order_release);
}
