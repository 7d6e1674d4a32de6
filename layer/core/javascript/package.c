/* Packages of npm. See package.h. */
#include "javascript/package.h"

#include <string.h>

#include "events/frame_text.h"
#include "support/sys.h"
#include "support/text.h"

enum { MANIFEST = 65536 };

const char *package_in(const char *path)
{
    static const char folder[] = "/node_modules/";
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, folder)) != NULL; at++) found = at;
    return found ? found + sizeof folder - 1 : NULL;
}

unsigned package_length(const char *rest)
{
    size_t size = strcspn(rest, "/");
    if (rest[0] == '@' && rest[size] == '/') size += 1 + strcspn(rest + size + 1, "/");
    return rest[size] == '/' && size < sizeof((struct origin *)0)->package ? (unsigned)size : 0;
}

/* Past the string that begins at `at`; `end` where it does not end. */
static const char *past_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
    return at < end ? at + 1 : end;
}

/* The value of the outermost object's "version", where that is a string without escapes. */
static void read_version(char *out, size_t size, const char *at, const char *end)
{
    static const char key[] = "\"version\"";
    unsigned depth = 0;
    bool wanted = false;
    for (; at < end; at++) {
        if (*at == '{' || *at == '[') depth++;
        if (*at == '}' || *at == ']') depth--;
        if (*at == ',') wanted = false;
        if (*at != '"') continue;
        const char *next = past_string(at, end);
        if (next - at < 2 || next[-1] != '"') return; /* the end of what was read */
        if (wanted && !memchr(at, '\\', (size_t)(next - at))) {
            text_take(out, size, at + 1, (size_t)(next - at) - 2);
            return;
        }
        wanted = depth == 1 && (size_t)(next - at) == sizeof key - 1 &&
                 memcmp(at, key, sizeof key - 1) == 0;
        at = next - 1;
    }
}

void package_resolve(struct origin *origin)
{
    static const char manifest[] = "/package.json";
    char path[sizeof origin->place + sizeof manifest];
    struct stat status;
    size_t size = origin->rest + package_length(origin->place + origin->rest);
    char *text = sys_scratch(MANIFEST);
    if (!text) return;
    memcpy(path, origin->place, size);
    memcpy(path + size, manifest, sizeof manifest);
    int fd =
        sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
    if (fd >= 0 && sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        long read = sys_read(fd, text, MANIFEST);
        if (read > 0) read_version(origin->version, sizeof origin->version, text, text + read);
    }
    if (fd >= 0) sys_close(fd);
    sys_scratch_free(text, MANIFEST);
}
