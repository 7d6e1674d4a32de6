#include "origin.h"

#include <string.h>

#include "arguments.h"
#include "frames.h"
#include "json.h"

enum { SHOWN = 8, STEPS = 512, ENTRY_MAX = 300 };

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
        if (shown < SHOWN) {
            push(origin, &used, &json, &frame, function);
            shown++;
        } else if (named) {
            frames_stop(&frame);
            break;
        }
    }
    if (found && !named) copy(origin->distribution, sizeof origin->distribution, "__main__", 8);
}

static __thread struct guard_origin kept __attribute__((tls_model("initial-exec")));
static __thread bool is_kept __attribute__((tls_model("initial-exec")));

void origin_keep(void)
{
    origin_read(&kept);
    is_kept = true;
}

void origin_forget(void) { is_kept = false; }

const struct guard_origin *origin_kept(void) { return is_kept ? &kept : NULL; }
