#include "files/walks.h"

#include <fcntl.h>
#include <string.h>

#include "files/files.h"
#include "guard/guard.h"
#include "support/sys.h"

/* <ftw.h>, whose functions are doors with types of their own. */
enum { KIND_FOLDER = 1, KIND_UNKNOWN = 3, KIND_LINK = 4, KIND_LOST_LINK = 6 };
enum { CHANGES_FOLDER = 4, ANSWERS = 16, SKIP_FOLDER = 2 };
struct position {
    int base, level;
};

typedef int visit_function(const char *, const struct stat *, int, struct position *);

/* This thread's walk. The caller's function may begin another one inside it. */
static __thread struct walk {
    visit_function *visit;
    const void *caller;
    int flags;
    bool told; /* one walk makes one event */
} walk __attribute__((tls_model("initial-exec")));

static bool refuses(struct judged *judged)
{
    if (judged->verdict.mode == FS_ALLOW || walk.told) return judged->verdict.mode == FS_BLOCK;
    walk.told = true;
    judged->verb = "list";
    return files_refuse(judged, walk.caller);
}

/* Judges the object that libc saw. If the name leads to another object by now, the caller's
 * function is not called for it. */
static bool hides(const char *name, const struct stat *seen, int kind)
{
    struct judged judged;
    struct stat status;
    bool link = kind == KIND_LINK || kind == KIND_LOST_LINK, hidden;
    int fd = kind == KIND_UNKNOWN
                 ? -1
                 : sys_openat(AT_FDCWD, name, O_PATH | O_CLOEXEC | (link ? O_NOFOLLOW : 0), 0);
    if (fd < 0) {
        struct path path = copied_own(name);
        (void)files_judge_path(AT_FDCWD, &path, O_RDONLY | O_NOFOLLOW, &judged, walk.caller);
        return refuses(&judged);
    }
    hidden = files_judge_fd(fd, O_RDONLY, &judged, walk.caller) && refuses(&judged);
    if (!hidden && guard.blocks_any)
        hidden = sys_fstat(fd, &status) != 0 || status.st_dev != seen->st_dev ||
                 status.st_ino != seen->st_ino;
    sys_close(fd);
    return hidden;
}

static int visit(const char *path, const struct stat *seen, int kind, struct position *position)
{
    struct walk own = walk;
    bool inner = position != NULL && own.flags & CHANGES_FOLDER;
    int error = errno;
    bool hidden =
        hides(inner && path[position->base] != '\0' ? path + position->base : path, seen, kind);
    errno = error;
    if (hidden) return own.flags & ANSWERS && kind == KIND_FOLDER ? SKIP_FOLDER : 0;
    own.told = walk.told;
    int answer = own.visit(path, seen, kind, position);
    walk = own; /* the caller's function may have begun a walk */
    return answer;
}

static int visit_plain(const char *path, const struct stat *seen, int kind)
{
    return visit(path, seen, kind, NULL);
}

int walks_ftw(int (*walk_)(const char *, void *, int), const struct path *path, void *visit_,
              int open, const void *caller)
{
    if (guard_ignores(FS_TMP)) return walk_(path->text, visit_, open);
    struct walk before = walk;
    walk = (struct walk){.visit = (visit_function *)visit_, .caller = caller};
    int result = walk_(path->text, (void *)visit_plain, open);
    walk = before;
    return result;
}

int walks_nftw(int (*walk_)(const char *, void *, int, int), const struct path *path, void *visit_,
               int open, int flags, const void *caller)
{
    if (guard_ignores(FS_TMP)) return walk_(path->text, visit_, open, flags);
    struct walk before = walk;
    walk = (struct walk){.visit = (visit_function *)visit_, .caller = caller, .flags = flags};
    int result = walk_(path->text, (void *)visit, open, flags);
    walk = before;
    return result;
}
