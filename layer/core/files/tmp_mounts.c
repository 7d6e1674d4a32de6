/* Mounts can only change before the function begins: from then on the doors refuse mount(2). */
#include "files/tmp_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "guard/guard.h"
#include "support/lock.h"
#include "support/sys.h"

enum { MOUNTS = 8, LENGTH = 512, MOUNTINFO_MAX = 1 << 17 };

static struct other {
    char path[LENGTH]; /* where it lies */
    char stands[LENGTH]; /* for which path below /tmp, "" for /tmp itself */
} others[MOUNTS];
static unsigned count;
static const char *tmp;
static bool crossed; /* such a place can be reached only by crossing a mount */
static atomic_bool known;

LOCK(reading);

/* What follows `folder` in `path`: "" or "/…"; NULL where it lies elsewhere. */
static const char *below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    if (size == 1) size = 0; /* "/" */
    if (strncmp(path, folder, size) != 0 || (path[size] != '/' && path[size] != '\0')) return NULL;
    return path[size] == '/' && path[size + 1] == '\0' ? "" : path + size;
}

static bool join(char *out, const char *folder, const char *rest)
{
    size_t size = strlen(folder), more = strlen(rest);
    if (size == 1 && more > 0) size = 0;
    if (size + more >= LENGTH) return false;
    memcpy(out, folder, size);
    memcpy(out + size, rest, more + 1);
    return true;
}

struct mount {
    const char *device, *root, *point;
};

/* One field, with its \ooo decoded in place. */
static char *field(char **at)
{
    char *start = *at, *to = start, *from = start;
    for (; *from != ' ' && *from != '\0'; from++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 3;
        } else {
            *to++ = *from;
        }
    }
    *at = *from == ' ' ? from + 1 : from;
    *to = '\0';
    return start;
}

/* "36 35 98:0 /root /point options …" */
static void read_mount(char *line, struct mount *mount)
{
    field(&line);
    field(&line);
    mount->device = field(&line);
    mount->root = field(&line);
    mount->point = field(&line);
}

static void note(const struct mount *mount, const char *whole)
{
    struct stat status;
    struct other *other = &others[count];
    const char *rest = below(whole, mount->root), *inner;
    if (rest != NULL) {
        /* All of /tmp, unless something else is mounted over it there. */
        if (!join(other->path, mount->point, rest) ||
            sys_fstatat(AT_FDCWD, other->path, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            status.st_dev != guard.tmp_dev || status.st_ino != guard.tmp_ino)
            return;
        other->stands[0] = '\0';
    } else if ((inner = below(mount->root, whole)) != NULL) {
        if (!join(other->path, mount->point, "") || !join(other->stands, inner, "")) return;
    } else {
        return;
    }
    if (below(other->path, tmp) == NULL) count++;
}

/* Notes each mount of /tmp's device that the text lists, until the table is full. Cuts the text
 * into lines. */
static void note_all(char *text, const char *device, const char *whole)
{
    for (char *end; (end = strchr(text, '\n')) != NULL && count < MOUNTS; text = end + 1) {
        struct mount mount;
        *end = '\0';
        read_mount(text, &mount);
        if (strcmp(mount.device, device) == 0) note(&mount, whole);
    }
}

/* The mount that /tmp lies in: the last one of the longest path. */
static bool find_own(char *text, char device[32], char whole[LENGTH])
{
    size_t longest = 0;
    bool found = false;
    for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        struct mount mount;
        *end = '\0';
        read_mount(text, &mount);
        const char *rest = below(tmp, mount.point);
        size_t size = strlen(mount.point);
        if (rest == NULL || size < longest || strlen(mount.device) >= 32 ||
            !join(whole, mount.root, rest))
            continue;
        strcpy(device, mount.device);
        longest = size;
        found = true;
    }
    return found;
}

/* Returns false if the mounts cannot be read: the process has no fd or memory left, or (Landlock)
 * keeps itself from reading the file. */
static bool read_mounts(void)
{
    char device[32], whole[LENGTH];
    int fd = sys_openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return fd == -ENOENT || fd == -ENOTDIR; /* no /proc */
    long got = 0;
    char *text = sys_scratch(2 * MOUNTINFO_MAX);
    if (text != NULL) {
        size_t size = 0;
        count = 0;
        for (; size < MOUNTINFO_MAX - 1 &&
               (got = sys_read(fd, text + size, MOUNTINFO_MAX - 1 - size)) > 0;)
            size += (size_t)got;
        memcpy(text + MOUNTINFO_MAX, text, size); /* the memory is zeros */
        if (find_own(text, device, whole)) note_all(text + MOUNTINFO_MAX, device, whole);
        sys_scratch_free(text, 2 * MOUNTINFO_MAX);
    }
    sys_close(fd);
    return text != NULL && got >= 0;
}

void tmp_mounts_start(const char *tmp_, bool on_root_mount)
{
    tmp = tmp_;
    crossed = on_root_mount;
    if (guard.tmp_ino == 0)
        atomic_store(&known, true);
    else
        (void)tmp_mounts_known();
}

bool tmp_mounts_any(void)
{
    if (!atomic_load_explicit(&known, memory_order_acquire)) {
        if (guard_ignores(FS_TMP)) return false;
        if (!lock_take(&reading)) return true;
        if (!atomic_load(&known) && read_mounts()) atomic_store(&known, true);
        lock_give(&reading);
    }
    return !atomic_load(&known) || count > 0;
}

bool tmp_mounts_known(void)
{
    if (LIKELY(atomic_load_explicit(&known, memory_order_acquire)) || guard_ignores(FS_TMP))
        return true;
    return !crossed && (tmp_mounts_any(), true);
}

static const struct other *find(const char *path, const char **rest)
{
    for (unsigned i = 0; i < count; i++)
        if ((*rest = below(path, others[i].path)) != NULL) return &others[i];
    return NULL;
}

bool tmp_mounts_has(const char *path)
{
    const char *rest;
    return tmp_mounts_any() && (!atomic_load(&known) || find(path, &rest) != NULL);
}

bool tmp_mounts_translate(char path[PATH_MAX])
{
    const char *rest;
    if (!tmp_mounts_any()) return false;
    if (!atomic_load(&known)) {
        path[0] = '\0';
        return true;
    }
    const struct other *other = find(path, &rest);
    if (other == NULL) return false;
    size_t first = strlen(tmp), second = strlen(other->stands), size = strlen(rest);
    if (first + second + size >= PATH_MAX) {
        path[0] = '\0'; /* it cannot be judged */
        return true;
    }
    memmove(path + first + second, rest, size + 1);
    memcpy(path, tmp, first);
    memcpy(path + first, other->stands, second);
    return true;
}
