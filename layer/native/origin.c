#include "origin.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "arguments.h"
#include "frames.h"
#include "json.h"
#include "sys.h"

/* Of the frames that are shown, the innermost ones in full; further out the first of each package. What carries a request
 * is many frames deep, and who asked for it lies beyond; but no further than DEPTH, for the time that it takes. */
enum { SHOWN = 8, IN_FULL = 4, DEPTH = 64, STEPS = 512, ENTRY_MAX = 300 };

static void copy(char *out, size_t size, const char *text, size_t length)
{
    if (length > size - 1) length = size - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

static const char *last_of(const char *path, const char *part)
{
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, part)) != NULL; at++) found = at;
    return found ? found + strlen(part) : NULL;
}

/* The longest entry of sys.path that holds `path`: what follows it. */
static const char *below_sys_path(const char *path)
{
    PyObject *entries = python.PySys_GetObject("path"), *entry;
    const char *best = NULL;
    for (Py_ssize_t i = 0; i < 256 && (entry = argument_element(entries, i)) != NULL; i++) {
        const char *folder = argument_text(entry);
        const char *rest = folder && folder[0] == '/' ? frames_below(path, folder) : NULL;
        if (rest && (!best || rest > best)) best = rest;
        python.Py_DecRef(entry);
    }
    return best;
}

/* The first component below where packages are installed: a package's folder, or a module's name. */
static void name_distribution(char *out, size_t size, const char *path)
{
    const char *rest = last_of(path, "/site-packages/");
    if (!rest) rest = last_of(path, "/dist-packages/");
    if (!rest && guard.task_root[0]) rest = frames_below(path, guard.task_root);
    if (!rest) rest = frames_below(path, "/opt/python");
    if (!rest) rest = below_sys_path(path);
    if (!rest) {
        const char *slash = strrchr(path, '/');
        rest = slash ? slash + 1 : path;
    }
    const char *slash = strchr(rest, '/');
    size_t length = slash ? (size_t)(slash - rest) : strlen(rest);
    if (!slash && length > 3 && strcmp(rest + length - 3, ".py") == 0) length -= 3;
    if (!slash && length > 4 && strcmp(rest + length - 4, ".pyc") == 0) length -= 4;
    copy(out, size, rest, length);
}

static void name_module(char *out, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strchr(name, '.');
    copy(out, size, name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

static void decimal(char *out, size_t size, int number)
{
    char digits[12];
    size_t at = sizeof digits;
    unsigned rest = number > 0 ? (unsigned)number : 0;
    do digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    copy(out, size, digits + at, sizeof digits - at);
}

/* One element of the stack, whole or not at all. */
static void push(struct guard_origin *origin, size_t *used, struct json *json, const struct frame *frame, const char *function)
{
    char text[ENTRY_MAX + 200], line[12];
    size_t at = strlen(frame->path);
    /* The end of a long path says more than its beginning. */
    const char *path = at > ENTRY_MAX ? frame->path + at - ENTRY_MAX : frame->path;
    decimal(line, sizeof line, frames_line(frame));
    text[0] = '\0';
    copy(text, sizeof text, path, strlen(path));
    at = strlen(text);
    const char *const parts[] = {":", line, " ", function};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        copy(text + at, sizeof text - at, parts[i], strlen(parts[i]));
        at += strlen(text + at);
    }
    json->size = 0;
    if (*used > 0) json_raw(json, ",");
    json_string(json, text, sizeof text);
    if (json->size >= sizeof origin->stack - *used) return;
    memcpy(origin->stack + *used, json->bytes, json->size);
    *used += json->size;
    origin->stack[*used] = '\0';
}

static void fill(struct guard_origin *origin, const struct frame *frame, const char *function)
{
    copy(origin->file, sizeof origin->file, frame->path, strlen(frame->path));
    copy(origin->function, sizeof origin->function, function, strlen(function));
    origin->line = frames_line(frame);
}

void origin_read(struct guard_origin *origin)
{
    struct frame frame = {0};
    struct json json;
    char package[sizeof origin->distribution], last[sizeof origin->distribution] = "";
    const PyObject *file = NULL; /* of the frame before: both are on the stack, so an address that returns is the same file */
    size_t used = 0, shown = 0;
    bool found = false, named = false;
    memset(origin, 0, sizeof *origin);
    if (!python.Py_IsInitialized()) return;
    for (unsigned steps = 0; frames_next(&frame); steps++) {
        char function[sizeof origin->function];
        if (steps >= STEPS) {
            frames_stop(&frame);
            break;
        }
        if (frame.library && steps > 0) continue;
        if (shown >= IN_FULL && named && frame.file == file) {
            if (steps < DEPTH) continue;
            frames_stop(&frame);
            break;
        }
        file = frame.file;
        frames_function(&frame, function, sizeof function);
        if (frame.library) {
            fill(origin, &frame, function); /* kept where nobody but the library is on the stack: a thread, an atexit call */
            continue;
        }
        if (!found) fill(origin, &frame, function);
        found = true;
        /* Code made from a string has no file: whoever ran it answers for it. */
        if (!named && frame.path[0] != '<' && frame.path[0] != '\0') {
            if (files_is_handler(frame.path))
                name_module(origin->distribution, sizeof origin->distribution, frame.path);
            else
                name_distribution(origin->distribution, sizeof origin->distribution, frame.path);
            named = true;
        }
        name_distribution(package, sizeof package, frame.path);
        if (shown < IN_FULL || (shown < SHOWN && strcmp(package, last) != 0)) {
            push(origin, &used, &json, &frame, function);
            shown++;
            strcpy(last, package);
        } else if (named && (shown >= SHOWN || steps >= DEPTH)) {
            frames_stop(&frame);
            break;
        }
    }
    if (found && !named) copy(origin->distribution, sizeof origin->distribution, "__main__", 8);
}

/* What is kept for a thread lies apart from its own block: a loader that audits gives that block so little room that a
 * program with 2 KB of ours in it does not start. Where more threads than these keep one at once, the rest go without. */
enum { KEPT = 32 };

static struct guard_origin kept[KEPT];
static _Atomic int keepers[KEPT]; /* the thread that a place is taken by; 0: free */
static __thread unsigned place __attribute__((tls_model("initial-exec"))); /* + 1; 0: none */

static bool take(unsigned at, int old, int thread)
{
    if (!atomic_compare_exchange_strong(&keepers[at], &old, thread)) return false;
    place = at + 1;
    return true;
}

static bool take_one(void)
{
    int thread = (int)sys_call(SYS_gettid);
    for (unsigned i = 0; i < KEPT; i++)
        if (take(i, 0, thread)) return true;
    /* Threads end without a word. */
    for (unsigned i = 0; i < KEPT; i++) {
        int old = atomic_load(&keepers[i]);
        if (old != 0 && sys_call(SYS_tkill, old, 0) == -ESRCH && take(i, old, thread)) return true;
    }
    return false;
}

void origin_keep(void)
{
    if (place > 0 || take_one()) origin_read(&kept[place - 1]);
}

void origin_forget(void)
{
    if (place == 0) return;
    atomic_store(&keepers[place - 1], 0);
    place = 0;
}

const struct guard_origin *origin_kept(void) { return place > 0 ? &kept[place - 1] : NULL; }
