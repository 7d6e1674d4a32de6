#include "files/source/also.h"
#include "files/files.h"
#include "files/handler.h"
#include "guard/passes.h"
#include "files/layer.h"
#include "files/made.h"

#include <string.h>

#include "events/sink.h"
#include "libc/symbols.h"
#include "support/sys.h"
#include "files/tmp_mounts.h"
#include "support/text.h"
#include "v8/javascript.h"
#include "events/events.h"

static char tmp_path[PATH_MAX] = "/tmp";
static size_t tmp_size = 4;

/* ---- start ---- */

void files_start(void)
{
    struct stat tmp, up, proc;
    int fd = sys_open_no_links(AT_FDCWD, "/tmp", O_PATH | O_CLOEXEC, SYS_CROSS_NO_MOUNT);
    bool on_root_mount = fd >= 0;
    if (fd < 0) fd = sys_openat(AT_FDCWD, "/tmp", O_PATH | O_CLOEXEC, 0);
    if (fd >= 0 && sys_fstat(fd, &tmp) == 0) {
        guard.tmp_dev = tmp.st_dev;
        guard.tmp_ino = tmp.st_ino;
        guard.tmp_is_mount = sys_fstatat(fd, "..", &up, 0) == 0 && up.st_dev != tmp.st_dev;
        (void)text_object_path(fd, tmp_path);
        if (tmp_path[0] != '/') memcpy(tmp_path, "/tmp", 5);
        tmp_size = strlen(tmp_path);
    }
    if (fd >= 0) sys_close(fd);
    tmp_mounts_start(tmp_path, on_root_mount);
    if (sys_fstatat(AT_FDCWD, "/proc/self/", &proc, 0) == 0) guard.proc_dev = proc.st_dev;
}

/* ---- judging ---- */

bool files_idle(void)
{
    return guard_ignores(FS_TMP) && (guard_ignores(FS_HANDLER) || !handler_known()) &&
           !guard.blocks_any;
}

bool files_ready(void) { return guard_ready() && !files_idle(); }

static const char *verb_of(int flags)
{
    if (flags & O_CREAT) return "create";
    if (flags & O_DIRECTORY) return "list";
    return (flags & O_ACCMODE) == O_RDONLY ? "open" : "write";
}

bool files_is_under_tmp(const char *path)
{
    return strncmp(path, tmp_path, tmp_size) == 0 &&
           (path[tmp_size] == '/' || path[tmp_size] == '\0');
}

bool files_leads_under_tmp(char path[PATH_MAX])
{
    return files_is_under_tmp(path) || (tmp_mounts_translate(path) && path[0] != '\0');
}

static bool decide_made(struct judged *judged, enum fs_family family, int flags, bool made)
{
    judged->family = family;
    judged->gone = false;
    judged->from = judged->to = NULL;
    judged->verb = verb_of(flags);
    struct fs_request request = {
        .family = family, .path = judged->path, .made = made, .caller = judged->caller};
    judged->verdict = guard_decide(&request);
    if (judged->path[0] == '\0' && judged->verdict.mode != FS_ALLOW)
        judged->verdict.reason = FS_MALFORMED;
    return judged->verdict.mode != FS_ALLOW || judged->verdict.reason == FS_RULE;
}

static bool decide(struct judged *judged, enum fs_family family, int flags)
{
    return decide_made(judged, family, flags, false);
}

static bool decide_tmp(const struct stat *gone, int fd, const char *last, int flags,
                       struct judged *judged)
{
    const char *below = judged->path + tmp_size;
    bool known = judged->path[0] != '\0';
    /* Making /tmp itself fails because it exists, whatever the policy says. */
    if (known && below[0] == '\0' && flags & O_CREAT && (last || flags & O_EXCL)) return false;
    bool made = made_is_on && known && made_allows(below, gone, fd, last, flags);
    bool found = decide_made(judged, FS_TMP, flags, made);
    judged->gone = made_is_on && gone;
    return found;
}

/* /tmp and what is under it. The device alone does not tell: other file systems can be mounted
 * below /tmp, and files of an overlay have the devices of its layers. */
static bool judge_tmp(const struct stat *status, int fd, const char *last, int flags,
                      struct judged *judged)
{
    if (guard_ignores(FS_TMP)) return false;
    bool gone = text_object_path(fd, judged->path);
    if (judged->path[0] == '\0' && (status->st_dev != guard.tmp_dev || guard.tmp_dev == 0))
        return false;
    if (last) text_add_entry(judged->path, last);
    /* The path cannot be read: assume that it is under /tmp. Other devices than /tmp's were let
     * through above. */
    bool under = judged->path[0] == '\0' || files_is_under_tmp(judged->path);
    if (!under && tmp_mounts_translate(judged->path))
        under = judged->path[0] != '\0' || status->st_dev == guard.tmp_dev;
    return under && decide_tmp(gone ? status : NULL, fd, last, flags, judged);
}

bool files_is_tmp_parent(const char *path)
{
    size_t size = strlen(path);
    return size < tmp_size && strncmp(path, tmp_path, size) == 0 && tmp_path[size] == '/' &&
           !strchr(tmp_path + size + 1, '/');
}

static bool reads_content(int flags)
{
    return (flags & O_ACCMODE) != O_WRONLY && !(flags & O_PATH);
}

/* The file or pipe that events go to. Reading a pipe would take events from the log; writing to
 * it is the same as printing to standard error. Reading a file is harmless, and tests do it;
 * writing to it could change events. */
static bool judge_sink(int fd, int flags, struct judged *judged)
{
    bool reads = S_ISFIFO(guard.event_mode) && reads_content(flags);
    if (!reads && !(S_ISREG(guard.event_mode) && files_writes(flags))) return false;
    text_object_path(fd, judged->path);
    bool found = decide(judged, FS_INTEGRITY, flags);
    if (reads) judged->verb = "read";
    return found;
}

bool files_is_memory(const char *path)
{
    size_t size = strlen(path);
    return size > 4 && memcmp(path + size - 4, "/mem", 4) == 0;
}

/* Memory of a process through /proc. Reading is judged too: memory that the function has freed may
 * still hold the handler's source. */
static bool judge_memory(int fd, int flags, struct judged *judged)
{
    if (flags & O_PATH) return false;
    text_object_path(fd, judged->path);
    return files_is_memory(judged->path) && decide(judged, FS_INTEGRITY, flags);
}

/* What belongs to the guard. */
static bool judge_integrity(const struct stat *status, int fd, int flags, struct judged *judged)
{
    enum layer_part part = layer_part_of(status);
    /* Creating files is allowed in folders on the way to the layer, but not in the layer. */
    if (UNLIKELY(part != LAYER_NONE) && (part != LAYER_WAY || !(flags & O_CREAT))) {
        text_object_path(fd, judged->path);
        return decide(judged, FS_INTEGRITY, flags);
    }
    return false;
}

static bool judge_also(const struct stat *status, int fd, int flags, struct judged *judged)
{
    if (!S_ISREG(status->st_mode) || !reads_content(flags) || guard_ignores(FS_HANDLER))
        return false;
    text_object_path(fd, judged->path);
    if (LIKELY(!also_lists(judged->path)) || passes_take_archive(judged->path)) return false;
    return !also_loader_reads(judged->path) && decide(judged, FS_HANDLER, flags);
}

bool files_judge_fd(int fd, int flags, struct judged *judged, const void *caller)
{
    struct stat status;
    judged->caller = caller;
    if (sys_fstat(fd, &status) != 0) return false;
    int handler =
        UNLIKELY(handler_is_sealed()) && !guard_ignores(FS_HANDLER) ? handler_source(&status) : -1;
    if (UNLIKELY(handler >= 0)) {
        if (handler_watch && !files_writes(flags) && javascript_loader_reads((unsigned)handler))
            return false;
        text_object_path(fd, judged->path);
        if (UNLIKELY(passes_take_archive(judged->path))) return false;
        return decide(judged, FS_HANDLER, flags);
    }
    if (UNLIKELY(also_is_on) && judge_also(&status, fd, flags, judged)) return true;
    if (UNLIKELY(status.st_dev == guard.proc_dev) && guard.proc_dev != 0 &&
        judge_memory(fd, flags, judged))
        return true;
    if (UNLIKELY(sink_is(&status)) && judge_sink(fd, flags, judged)) return true;
    if (UNLIKELY(files_writes(flags)) && judge_integrity(&status, fd, flags, judged)) return true;
    return judge_tmp(&status, fd, NULL, flags, judged);
}

bool files_judge_place(const struct place *place, int flags, struct judged *judged,
                       const void *caller)
{
    struct stat status;
    judged->caller = caller;
    if (place->outside) return false;
    if (place->whole || sys_fstat(place->parent, &status) != 0) return false;
    bool found = judge_tmp(&status, place->parent, place->last, flags, judged);
    if (found && judged->verdict.mode == FS_BLOCK) return true;
    if (UNLIKELY(layer_part_of(&status) == LAYER_FOLDER) &&
        (files_writes(flags) || flags & O_CREAT)) {
        text_entry_path(place->parent, place->last, judged->path);
        return decide(judged, FS_INTEGRITY, flags);
    }
    return found;
}

bool files_judge_entry(const struct place *place, struct judged *judged)
{
    struct stat status;
    if (LIKELY(place->whole || !layer_has_name(place->last))) return false;
    if (sys_fstatat(place->parent, place->last, &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
    if (layer_part_of(&status) == LAYER_NONE) return false;
    text_entry_path(place->parent, place->last, judged->path);
    return decide(judged, FS_INTEGRITY, O_WRONLY);
}

bool files_refuse_change(int fd, const void *caller)
{
    struct judged judged;
    struct stat status;
    if (LIKELY(guard_integrity().mode == FS_ALLOW) || sys_fstat(fd, &status) != 0 ||
        layer_part_of(&status) == LAYER_NONE)
        return false;
    text_object_path(fd, judged.path);
    if (!decide(&judged, FS_INTEGRITY, O_WRONLY)) return false;
    judged.verb = "change";
    copied_given = NULL; /* an fd was given */
    return files_refuse(&judged, caller);
}

bool files_refuse(const struct judged *judged, const void *caller)
{
    /* Node opens the source map beside a file that it loads (--enable-source-maps), and works
     * without it. If Node could read it, so could all code: module.findSourceMap returns it. */
    bool quiet = judged->family == FS_HANDLER && javascript_reader() == JAVASCRIPT_MAPS;
    if (!quiet && !guard_noted(judged->family, judged->path)) {
        struct act act = {.ring = RING_LIBC,
                          .family = judged->family,
                          .verb = judged->verb,
                          .path = judged->path,
                          .to = judged->to,
                          .from = judged->from,
                          .caller = caller};
        events_report(&act, &judged->verdict, NULL, 0);
    }
    if (judged->verdict.mode != FS_BLOCK) return false;
    errno = EACCES;
    return true;
}

bool files_refuse_running(const char *path, const void *caller)
{
    struct judged judged = {.caller = caller};
    text_copy(judged.path, sizeof judged.path, path);
    if (!decide(&judged, FS_TMP, O_RDONLY)) return false;
    judged.verb = "execute";
    return files_refuse(&judged, caller);
}

/* An O_PATH fd of an object under /tmp can only be the guard's own, open during an inspection. A
 * copy of it would outlast the inspection. */
bool files_refuse_copy(int copy, const void *caller)
{
    struct judged judged;
    if (copy < 0 || !guard.blocks_any || guard_ignores(FS_TMP)) return false;
    long flags = sys_call(SYS_fcntl, copy, F_GETFL);
    if (LIKELY(flags < 0 || !(flags & O_PATH))) return false;
    bool found = files_judge_fd(copy, O_RDONLY, &judged, caller);
    judged.verb = "duplicate";
    return found && files_refuse(&judged, caller);
}
