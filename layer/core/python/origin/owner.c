/* Which distribution a file belongs to, and what that one requires. See owner.h. */
#include "python/origin/owner.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include "events/frame_text.h"
#include "guard/callers.h"
#include "guard/guard.h"
#include "memory/native.h"
#include "policy/only_for.h"
#include "python/frames.h"
#include "python/origin/metadata.h"
#include "support/lock.h"
#include "support/sys.h"
#include "support/text.h"

/* ---- folders where packages are installed, as they are met ---- */

enum { ROOTS = 8, ROOT_SIZE = 512 };
static char roots[ROOTS][ROOT_SIZE];
static _Atomic unsigned root_count; /* slots in use */
LOCK(root_table);

static void remember(const char *root)
{
    if (strlen(root) >= ROOT_SIZE || !lock_take(&root_table)) return;
    unsigned count = atomic_load(&root_count), i = 0;
    while (i < count && strcmp(roots[i], root) != 0) i++;
    if (i == count && count < ROOTS) {
        strcpy(roots[count], root);
        atomic_store(&root_count, count + 1);
    }
    lock_give(&root_table);
}

/* The end of the next folder of packages in `path` after `from`; 0 if there is none. */
static size_t next_root(const char *path, size_t from, unsigned site)
{
    static const char *const names[] = {"/site-packages/", "/dist-packages/"};
    const char *folders[] = {guard.task_root, guard.runtime_dir, "/opt/python"};
    size_t found = site > from ? site : 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = strstr(path + (from > 0 ? from : 0), names[i]);
        size_t end = at ? (size_t)(at - path) + strlen(names[i]) - 1 : 0;
        if (end > from && (found == 0 || end < found)) found = end;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *rest = folders[i][0] ? frame_text_below(path, folders[i]) : NULL;
        size_t end = rest ? (size_t)(rest - path) - 1 : 0;
        if (end > from && (found == 0 || end < found)) found = end;
    }
    return found;
}

uint64_t owner_of(const char *path, unsigned site)
{
    char root[PATH_MAX], name[METADATA_NAME];
    struct metadata found;
    bool installed = frame_text_below(path, "/opt") != NULL;
    if (strlen(path) >= sizeof root) return CALLERS_UNKNOWN;
    for (size_t at = 0; (at = next_root(path, at, site)) != 0;) {
        memcpy(root, path, at);
        root[at] = '\0';
        installed = installed || strstr(root, "-packages");
        bool known = metadata_of(root, path + at + 1, &found);
        if (known && found.exact) {
            remember(root);
            metadata_normalise(name, found.name, strlen(found.name));
            return callers_bit(name);
        }
        /* No list has the file, and it lies in a package of others; or not every list could be
         * read. */
        if (known || found.claimed || !found.searched) return CALLERS_UNKNOWN;
    }
    return installed ? CALLERS_UNKNOWN : CALLERS_FUNCTION;
}

/* ---- what a distribution requires ---- */

enum { NEEDS = 128, NEED_SIZE = 128, HEADERS_MAX = 1 << 18 };

struct needs {
    unsigned count;
    bool failed; /* some requirements could not be read */
    char names[NEEDS][NEED_SIZE]; /* "uvicorn", "uvicorn[standard,other]" */
    char text[HEADERS_MAX + 1];
};

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

static void add(struct needs *needs, const char *name, const char *extras, size_t extras_size)
{
    char own[NEED_SIZE];
    size_t size = strlen(name);
    if (size + extras_size >= sizeof own) return;
    memcpy(own, name, size);
    if (extras_size > 0) memcpy(own + size, extras, extras_size);
    own[size + extras_size] = '\0';
    for (unsigned i = 0; i < needs->count; i++)
        if (strcmp(needs->names[i], own) == 0) return;
    if (needs->count < NEEDS) strcpy(needs->names[needs->count++], own);
}

/* Returns true if the extra in the marker is in `asked` ("[a,b]"). */
static bool wants_extra(const char *asked, const char *marker, const char *end)
{
    const char *at = memmem(marker, (size_t)(end - marker), "extra", 5);
    if (!at) return true;
    at += 5 + strcspn(at + 5, "\"'\n");
    if (at >= end) return false;
    size_t size = strcspn(++at, "\"'\n");
    for (const char *one = strchr(asked, '['); one && *one != ']' && *one;
         one += strcspn(one, ",]")) {
        one += 1 + strspn(one + 1, " ");
        size_t length = strcspn(one, ",] ");
        if (length == size && size > 0 && strncasecmp(one, at, size) == 0) return true;
    }
    return false;
}

/* Adds what the METADATA in `text` requires. */
static void read_requirements(struct needs *needs, const char *asked)
{
    static const char key[] = "Requires-Dist:";
    char name[METADATA_NAME];
    for (const char *line = needs->text; *line && *line != '\n' && *line != '\r';) {
        const char *end = line + strcspn(line, "\n");
        if (strncmp(line, key, sizeof key - 1) == 0) {
            const char *from = line + sizeof key - 1, *at;
            from += strspn(from, " \t");
            for (at = from; is_name(*at); at++) continue;
            metadata_normalise(name, from, (size_t)(at - from));
            at += strspn(at, " \t");
            size_t extras = *at == '[' ? strcspn(at, "]\n") + 1 : 0;
            const char *marker = memchr(at, ';', (size_t)(end - at));
            if (name[0] && (!marker || wants_extra(asked, marker, end)))
                add(needs, name, at, extras);
        }
        line = end + (*end == '\n');
    }
}

static bool read_headers(struct needs *needs, const char *root, const char *name)
{
    struct stat status;
    int fd = metadata_open(root, name);
    if (fd < 0 && fd != -ENOENT) needs->failed = true;
    if (fd < 0) return false;
    long size = sys_fstat(fd, &status) == 0 && native_dates_before(&status)
                    ? sys_read(fd, needs->text, HEADERS_MAX)
                    : 0;
    sys_close(fd);
    needs->text[size > 0 ? size : 0] = '\0';
    return size > 0;
}

static bool search(struct needs *needs, const char *only_for, const char *name)
{
    for (const char *at = only_for; *at;) {
        size_t size = strcspn(at, " ");
        char own[NEED_SIZE];
        if (size < sizeof own) {
            memcpy(own, at, size);
            own[size] = '\0';
            add(needs, own, NULL, 0);
        }
        at += size + (at[size] == ' ');
    }
    for (unsigned i = 0; i < needs->count; i++) {
        char own[NEED_SIZE];
        size_t size = strcspn(needs->names[i], "[");
        memcpy(own, needs->names[i], size);
        own[size] = '\0';
        if (strcmp(own, name) == 0) return true;
        unsigned count = atomic_load(&root_count);
        for (unsigned root = 0; root < count; root++)
            if (read_headers(needs, roots[root], own)) read_requirements(needs, needs->names[i]);
    }
    return false;
}

/* ---- what was found ---- */

enum { ANSWERS = 128 };
static struct answer {
    const char *only_for, *name; /* strings of the policy or of guard/callers.c, which never move */
    unsigned roots;
    bool requires;
} answers[ANSWERS];
static unsigned next;
LOCK(answer_table);

static bool find_answer(const char *only_for, const char *name, unsigned count, bool *requires)
{
    bool found = false;
    if (!lock_take(&answer_table)) return false;
    for (unsigned i = 0; i < ANSWERS && !found; i++) {
        const struct answer *one = &answers[i];
        found = one->only_for == only_for && one->name == name && one->roots == count;
        if (found) *requires = one->requires;
    }
    lock_give(&answer_table);
    return found;
}

bool distribution_requires(const char *only_for, const char *name)
{
    unsigned count = atomic_load(&root_count);
    bool requires = false;
    if (find_answer(only_for, name, count, &requires)) return requires;
    struct needs *needs = sys_scratch(sizeof *needs);
    requires = needs && search(needs, only_for, name);
    bool complete = needs && (requires || !needs->failed);
    sys_scratch_free(needs, sizeof *needs);
    if (complete && lock_take(&answer_table)) {
        answers[next++ % ANSWERS] = (struct answer){only_for, name, count, requires};
        lock_give(&answer_table);
    }
    return requires;
}
