/* The text of frames. See frame_text.h. */
#include "events/frame_text.h"

#include <string.h>

#include "events/json.h"
#include "support/text.h"

enum { ENTRY_MAX = 300 };

void frame_text_push(struct origin *origin, size_t *used, const char *path, int line,
                     const char *function)
{
    struct json json;
    char text[ENTRY_MAX + 200], digits[TEXT_NUMBER_SIZE];
    size_t at = strlen(path);
    /* The end of a long path says more than its beginning. */
    if (at > ENTRY_MAX) path += at - ENTRY_MAX;
    text_number(digits, line > 0 ? (unsigned)line : 0);
    (void)TEXT_JOIN(text, sizeof text, path, ":", digits, " ", function);
    json_begin(&json);
    if (*used > 0) json_raw(&json, ",");
    json_string(&json, text, sizeof text);
    if (json.size >= sizeof origin->stack - *used) return;
    memcpy(origin->stack + *used, json.bytes, json.size);
    *used += json.size;
    origin->stack[*used] = '\0';
}

void frame_text_module(char *out, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strchr(name, '.');
    text_take(out, size, name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

const char *frame_text_below(const char *path, const char *prefix)
{
    size_t size = strlen(prefix);
    while (size > 1 && prefix[size - 1] == '/') size--;
    if (size == 0 || strncmp(path, prefix, size) != 0 || path[size] != '/') return NULL;
    return path + size + 1;
}

const char *frame_text_plain(const char *path, char *room, size_t size)
{
    static const char proc[] = "/proc/";
    size_t used = 0;
    if (path[0] != '/') return path;
    if (strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../")) {
        while (*path != '\0') {
            size_t length = strcspn(++path, "/");
            if (length == 2 && path[0] == '.' && path[1] == '.') {
                while (used > 0 && room[--used] != '/') continue;
            } else if (length > 0 && !(length == 1 && path[0] == '.')) {
                if (length + 1 >= size - used) return "";
                room[used] = '/';
                memcpy(room + used + 1, path, length);
                used += length + 1;
            }
            path += length;
        }
        room[used] = '\0';
        path = room;
    }
    return strncmp(path, proc, sizeof proc - 1) == 0 ? "" : path;
}
