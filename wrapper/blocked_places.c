/* Refuses a start in which the policy would block what the function is made of. */
#include "blocked_places.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "paths.h"

static const struct fs_policy *policies[2]; /* the policy, and the floor or NULL */

void blocked_places_start(const struct fs_policy *policy, const struct fs_policy *floor)
{
    policies[0] = policy;
    policies[1] = floor;
}

static bool blocks(enum fs_family family, const char *path)
{
    struct fs_request request = {.family = family, .path = path};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (policies[i] && fs_policy_decide(policies[i], &request).mode == FS_BLOCK) return true;
    return false;
}

void blocked_places_check(const char *resolved, const char *what)
{
    static char tmp[PATH_MAX];
    if (tmp[0] == '\0' && !paths_resolve("/tmp", tmp)) return;
    size_t size = strlen(tmp);
    if (strncmp(resolved, tmp, size) != 0 || (resolved[size] != '/' && resolved[size] != '\0'))
        return;
    if (blocks(FS_TMP, resolved))
        REFUSE(what, " lies under /tmp (", resolved,
               "), which the policy blocks: move it elsewhere, or allow its folder under "
               "read_write_tmp");
}

void blocked_places_check_path(const char *path, const char *what)
{
    char resolved[PATH_MAX];
    if (path && *path && paths_resolve(path, resolved)) blocked_places_check(resolved, what);
}

static bool lies_in(const char *path, const char *folder)
{
    char resolved[PATH_MAX];
    if (!paths_resolve(folder, resolved)) return false;
    size_t size = strlen(resolved);
    return strncmp(path, resolved, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

/* The loader searches these folders for a library by its bare name, and no door sees where it finds
 * one. If the function could put a library there, the program does not start. */
void blocked_places_check_library_path(void)
{
    const char *at = getenv("LD_LIBRARY_PATH"), *end;
    if (!at || !*at) return;
    for (;; at = end + 1) {
        char folder[PATH_MAX], resolved[PATH_MAX + sizeof "/library"];
        end = at + strcspn(at, ":;");
        size_t size = (size_t)(end - at);
        if (size >= sizeof folder)
            REFUSE("a folder in LD_LIBRARY_PATH has a name that is too long");
        memcpy(folder, at, size);
        folder[size] = '\0';
        /* A relative folder depends on the function's current folder, and a folder that does not
         * exist can be created. */
        if (folder[0] != '/')
            strcpy(resolved, folder[0] == '$' ? "/" : "/tmp");
        else if (!paths_resolve(folder, resolved))
            strcpy(resolved, folder);
        if (lies_in(resolved, "/tmp") || lies_in(resolved, "/var/tmp") ||
            lies_in(resolved, "/dev")) {
            strcat(resolved, "/library");
            if (blocks(FS_NATIVE, resolved))
                REFUSE("LD_LIBRARY_PATH names \"", folder,
                       "\", where the function could put libraries of its own, and the policy "
                       "blocks native_code: take it out");
        }
        if (*end == '\0') return;
    }
}
