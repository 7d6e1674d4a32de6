/* Verdicts on a path whose object is not opened. See paths.h. */
#include "files/paths.h"

#include <string.h>

#include "files/places.h"
#include "support/sys.h"
#include "files/files.h"
#include "files/handler.h"

bool paths_judge_creation(int dirfd, const struct path *path, int flags, struct judged *judged,
                          const void *caller)
{
    char *link = NULL;
    struct place place = {.parent = -1}, before = {.parent = -1};
    struct path at = *path;
    int base = dirfd;
    bool found = false;
    for (unsigned hop = 0; hop < PLACES_HOPS; hop++) {
        int missing = files_find_place(base, &at, &place);
        sys_scratch_free(link, PATH_MAX);
        link = NULL;
        if (missing != 0 || place.whole) break;
        files_close_place(&before);
        if (files_judge_place(&place, flags, judged, caller)) {
            found = true;
            break;
        }
        link = (flags & (O_NOFOLLOW | O_EXCL)) ? NULL : places_read_link(&place);
        if (link == NULL) break;
        before = place;
        place.parent = -1;
        base = before.parent;
        at = copied_own(link);
    }
    sys_scratch_free(link, PATH_MAX);
    files_close_place(&before);
    files_close_place(&place);
    return found;
}

static bool judge_object(int dirfd, const struct path *path, int flags, struct judged *judged,
                         const void *caller)
{
    bool found = false, reads = !files_writes(flags) && !(flags & O_CREAT) && !handler_guards() &&
                                !guard.event_is_named;
    int fd = reads ? places_open_plain(path->text, O_PATH | O_CLOEXEC) : -1;
    if (fd >= 0) return sys_close(fd), false;
    for (unsigned tries = 0; tries < FILES_TRIES; tries++) {
        fd = sys_openat(dirfd, path->text,
                        O_PATH | O_CLOEXEC | (flags & (O_NOFOLLOW | O_DIRECTORY)), 0);
        found = fd < 0 ? paths_judge_creation(dirfd, path, flags, judged, caller)
                       : files_judge_fd(fd, flags, judged, caller);
        if (fd >= 0) sys_close(fd);
        if (fd < 0 || !found || !judged->gone) break;
    }
    return found;
}

bool files_judge_path(int dirfd, const struct path *path, int flags, struct judged *judged,
                      const void *caller)
{
    judged->family = FS_TMP;
    judged->path[0] = '\0';
    bool found =
        !files_idle() && path->error == 0 && judge_object(dirfd, path, flags, judged, caller);
    if (!found) judged->verdict = (struct fs_verdict){.mode = FS_ALLOW, .rule = UINT32_MAX};
    return found;
}

struct judged *files_judge_other(const struct judged *first, int dirfd, const struct path *path)
{
    if (first->verdict.mode == FS_ALLOW || guard_noted(first->family, first->path)) return NULL;
    struct judged *other = sys_scratch(sizeof *other);
    if (!other) return NULL;
    /* As an inspection, which makes nothing the function's where /tmp is ephemeral. */
    (void)files_judge_path(dirfd, path, O_PATH | O_NOFOLLOW, other, first->caller);
    if (other->verdict.mode != FS_ALLOW && other->family == first->family &&
        other->verdict.mode <= first->verdict.mode)
        return other;
    sys_scratch_free(other, sizeof *other);
    return NULL;
}

bool files_refuses_path(int dirfd, const struct path *path, int flags, const char *verb,
                        const void *caller)
{
    struct judged judged;
    (void)files_judge_path(dirfd, path, flags, &judged, caller);
    judged.verb = verb;
    return judged.verdict.mode != FS_ALLOW && files_refuse(&judged, caller);
}
