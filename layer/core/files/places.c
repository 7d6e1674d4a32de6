/* Folders that are held open, and names in them. See places.h. */
#include "files/places.h"

#include <errno.h>
#include <string.h>

#include "files/layer.h"
#include "files/tmp_mounts.h"
#include "support/sys.h"

/* Most paths are plain: absolute, without "..", without links, and not under /tmp. openat2 can be
 * told to open only such paths. The string alone then says where the object is, and neither the
 * object nor /proc needs an inspection. */
static bool looks_plain(const char *path)
{
    if (path[0] != '/') return false;
    size_t size = 1;
    for (; path[size] != '\0'; size++) {
        if (path[size - 1] != '/') continue;
        /* A component begins. Empty ones and those that begin with a dot take the slow path. */
        if (path[size] == '/' ||
            (path[size] == '.' &&
             (path[size + 1] == '/' || path[size + 1] == '.' || path[size + 1] == '\0')))
            return false;
    }
    return size > 1 && path[size - 1] != '/' && !files_is_under_tmp(path);
}

static atomic_bool links_are_followed; /* the kernel has no openat2 */

/* A path that crosses a mount, before the mounts were read. Files directly in /proc do not need
 * them: many programs open one, and reading the mounts takes 70 microseconds. */
static int open_across_mounts(const char *path, int flags)
{
    struct stat status;
    bool in_proc = strncmp(path, "/proc/", 6) == 0;
    if (!in_proc && tmp_mounts_has(path)) return -1;
    int fd = sys_open_no_links(AT_FDCWD, path, flags, 0);
    if (fd < 0 || !in_proc) return fd;
    if (sys_fstat(fd, &status) == 0 && status.st_dev == guard.proc_dev) return fd;
    if (!tmp_mounts_has(path)) return fd;
    sys_close(fd);
    return -1;
}

int places_open_plain(const char *path, int flags)
{
    if (atomic_load_explicit(&links_are_followed, memory_order_relaxed) || !looks_plain(path))
        return -1;
    /* Before the open: another thread may read the mounts in between. */
    bool known = tmp_mounts_known();
    if (known && UNLIKELY(tmp_mounts_has(path))) return -1;
    int fd = sys_open_no_links(AT_FDCWD, path, flags, known ? 0 : SYS_CROSS_NO_MOUNT);
    if (UNLIKELY(fd == -EXDEV)) fd = open_across_mounts(path, flags);
    if (fd == -ENOSYS || fd == -EPERM) atomic_store(&links_are_followed, true);
    return fd < 0 ? -1 : fd;
}

/* Whether the name may lead to another mount than its folder's, where files of /tmp may be. Before
 * the mounts were read, asks the kernel about this one name: most processes use few. */
static bool may_lead_to_tmp(int parent, const char *last)
{
    enum { ASKED = 8 };
    static atomic_uint asked;
    if (!tmp_mounts_known() && atomic_fetch_add(&asked, 1) < ASKED) {
        int fd =
            sys_open_no_links(parent, last, O_PATH | O_NOFOLLOW | O_CLOEXEC, SYS_CROSS_NO_MOUNT);
        if (fd >= 0) sys_close(fd);
        if (fd >= 0 || fd == -ENOENT) return false;
    }
    return tmp_mounts_any();
}

void files_close_place(struct place *place)
{
    if (place->parent >= 0) files_release(place->parent);
    place->parent = -1;
}

/* `parent` has room for the folder's path (the first `start` bytes of `path`) and one more byte. */
static int open_parent(int dirfd, const char *path, char *parent, size_t start, bool *outside)
{
    if (start == 0) return sys_openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    memcpy(parent, path, start);
    size_t slash = start - 1;
    parent[start] = '\0';
    if (slash > 0) parent[slash] = '\0';
    int fd = slash > 0 ? places_open_plain(parent, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    /* The folder of /tmp itself is outside /tmp. */
    *outside = fd >= 0 && !files_is_tmp_parent(parent) && !layer_is_inside(parent) &&
               !may_lead_to_tmp(fd, path + start);
    if (fd >= 0) return fd;
    if (slash > 0) parent[slash] = '/';
    return sys_openat(dirfd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

__attribute__((noinline)) static int open_long_parent(int dirfd, const char *path, size_t start,
                                                      bool *outside)
{
    char parent[PATH_MAX];
    return open_parent(dirfd, path, parent, start, outside);
}

/* Saves stack, which may be small in a thread or a signal handler. Most paths are short. */
__attribute__((noinline)) static int open_short_parent(int dirfd, const char *path, size_t start,
                                                       bool *outside)
{
    char parent[COPIED_SHORT];
    return open_parent(dirfd, path, parent, start, outside);
}

int files_find_place(int dirfd, const struct path *copy, struct place *place)
{
    const char *path = copy->text;
    size_t size = copy->size, end = size;
    *place = (struct place){.parent = -1};
    if (copy->error != 0) return -copy->error;
    if (size == 0) return -ENOENT;
    while (end > 0 && path[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') start--;
    size_t length = end - start;
    if (length == 0 || (length == 1 && path[start] == '.') ||
        (length == 2 && path[start] == '.' && path[start + 1] == '.')) {
        place->whole = true;
        return 0;
    }
    int fd = (start < COPIED_SHORT ? open_short_parent : open_long_parent)(dirfd, path, start,
                                                                           &place->outside);
    if (fd < 0) return fd;
    /* The kernel resolves the folder before it checks the name's length. */
    if (length > NAME_MAX) {
        sys_close(fd);
        return -ENAMETOOLONG;
    }
    memcpy(place->last, path + start, length);
    if (end < size) place->last[length++] = '/';
    place->last[length] = '\0';
    /* A program that closed a standard fd, to open another file in its place, must get that fd. */
    if (UNLIKELY(fd <= 2)) {
        int high = sys_copy_above(fd, 3);
        sys_close(fd);
        if (high < 0) return high;
        fd = high;
    }
    fd = files_reserve(fd);
    if (fd < 0) return fd;
    place->parent = fd;
    return 0;
}

char *places_read_link(const struct place *place)
{
    char byte, *link;
    if (sys_readlinkat(place->parent, place->last, &byte, 1) < 0 ||
        (link = sys_scratch(PATH_MAX)) == NULL)
        return NULL;
    if (sys_readlinkat(place->parent, place->last, link, PATH_MAX - 1) > 0)
        return link; /* scratch memory is zeroed: the link ends with NUL */
    sys_scratch_free(link, PATH_MAX);
    return NULL;
}
