/* The JavaScript caller of an act. See js_caller.h. */
#include "javascript/js_caller.h"

#include <string.h>

#include "events/frame_text.h"
#include "files/handler.h"
#include "guard/guard.h"
#include "javascript/package.h"
#include "libc/symbols.h"
#include "v8/javascript.h"
#include "support/text.h"

/* A module's name is the URL of its file. */
static void path_of(char *out, size_t size, const char *name)
{
    static const char scheme[] = "file://";
    size_t at = 0;
    bool url = strncmp(name, scheme, sizeof scheme - 1) == 0;
    if (url) name += sizeof scheme - 1;
    for (; *name && *name != '?' && at < size - 1; name++) {
        int high = url && *name == '%' ? text_hex_digit(name[1]) : -1;
        int low = high < 0 ? -1 : text_hex_digit(name[2]);
        out[at++] = low < 0 ? *name : (char)(high << 4 | low);
        if (low >= 0) name += 2;
    }
    out[at] = '\0';
}

/* "PACKAGE", else the first component below the function's folder, else the file's name. What
 * follows the folder of packages, or NULL. */
static const char *package_of(char *out, size_t size, const char *path)
{
    const char *rest = package_in(path);
    unsigned length = rest ? package_length(rest) : 0;
    if (length > 0) {
        text_take(out, size, rest, length);
        return rest;
    }
    rest = guard.task_root[0] ? frame_text_below(path, guard.task_root) : NULL;
    size_t first = rest ? strcspn(rest, "/") : 0;
    if (rest && rest[first] == '/')
        text_take(out, size, rest, first);
    else
        frame_text_module(out, size, path);
    return NULL;
}

static void name_package(struct origin *origin, const char *path)
{
    const char *rest = package_of(origin->package, sizeof origin->package, path);
    if (!rest || path[0] != '/') return;
    text_copy(origin->place, sizeof origin->place, path);
    origin->rest = (uint16_t)(rest - path);
}

struct reading {
    struct origin *origin;
    size_t used, shown;
    bool found, named;
    char last[sizeof((struct origin *)0)->package];
};

static bool is_nodes(const char *path) { return strncmp(path, "node:", 5) == 0; }

static bool take(void *state, const struct javascript_frame *frame)
{
    struct reading *reading = state;
    struct origin *origin = reading->origin;
    char path[sizeof origin->file], package[sizeof origin->package];
    path_of(path, sizeof path, frame->file);
    if (is_nodes(path)) return true;
    if (frame_text_below(path, guard.runtime_dir) && !package_in(path)) return true;
    bool has_file = path[0] == '/';
    const char *function = frame->function[0] ? frame->function : "<anonymous>";
    if (path[0] == '\0') strcpy(path, "<string>");
    if (!reading->found) {
        text_copy(origin->file, sizeof origin->file, path);
        text_copy(origin->function, sizeof origin->function, function);
        origin->line = frame->line;
        reading->found = true;
    }
    /* Code made from a string has no file. It counts for the code that ran it. */
    if (!reading->named && has_file) {
        if (handler_is_module(path))
            frame_text_module(origin->package, sizeof origin->package, path);
        else
            name_package(origin, path);
        reading->named = true;
    }
    (void)package_of(package, sizeof package, path);
    if (reading->shown < FRAMES_IN_FULL || strcmp(package, reading->last) != 0) {
        frame_text_push(origin, &reading->used, path, frame->line, function);
        reading->shown++;
        strcpy(reading->last, package);
    }
    return reading->shown < FRAMES_SHOWN;
}

/* JavaScript called Node's own code, so V8's heap may be used. An addon may be called where that is
 * not allowed, and counts by its own name. */
static bool is_node(const void *caller)
{
    struct symbols_object object;
    if (!caller || !symbols_object_of(caller, &object)) return false;
    const char *name = strrchr(object.path, '/');
    if (!name) return object.path[0] == '\0';
    return strncmp(name, "/libuv.so.", 10) == 0 || strncmp(name, "/libnode.so.", 12) == 0;
}

bool js_caller_is_node(const struct act *act)
{
    /* V8 maps executable memory in the middle of its own work, and cannot walk its stack then. */
    return act->family != FS_NATIVE && is_node(act->caller);
}

/* ---- kept for later ---- */

static bool keep(void *state, const struct javascript_frame *frame)
{
    struct js_caller_frames *kept = state;
    size_t file = strlen(frame->file) + 1, function = strlen(frame->function) + 1;
    if (is_nodes(frame->file)) return true;
    if (kept->count == FRAMES_SHOWN || file + function > sizeof kept->names - kept->size)
        return false;
    kept->lines[kept->count++] = frame->line;
    memcpy(kept->names + kept->size, frame->file, file);
    memcpy(kept->names + kept->size + file, frame->function, function);
    kept->size += file + function;
    return true;
}

bool js_caller_keep(struct js_caller_frames *kept, int first)
{
    kept->count = kept->size = 0;
    if (javascript_frames(first, keep, kept) == first && kept->count == 0)
        javascript_frames(JAVASCRIPT_FRAMES, keep, kept);
    return kept->count > 0;
}

bool js_caller_read(struct origin *origin, const struct js_caller_frames *kept)
{
    struct reading reading = {.origin = origin};
    memset(origin, 0, sizeof *origin);
    origin->script = true;
    if (!kept) javascript_frames(JAVASCRIPT_FRAMES, take, &reading);
    const char *at = kept ? kept->names : NULL;
    for (unsigned i = 0; at && i < kept->count; i++) {
        const char *function = at + strlen(at) + 1;
        struct javascript_frame frame = {at, function, kept->lines[i]};
        at = take(&reading, &frame) ? function + strlen(function) + 1 : NULL;
    }
    if (reading.found && !reading.named)
        text_take(origin->package, sizeof origin->package, "__main__", 8);
    return reading.found;
}
