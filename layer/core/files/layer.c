/* A child's loader finds the core by its path, and only warns if it does not find it. So the doors
 * refuse to rename, remove or replace the core, the folders that lead to it, and the files beside
 * it. Before a start the guard checks that the path still leads to the core. */
#include "files/layer.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "files/files.h"
#include "guard/guard.h"
#include "guard/handed_on.h"
#include "support/sys.h"
#include "support/text.h"

enum { OBJECTS = 48 };

static struct object {
    uint64_t dev, ino;
    struct timespec changed; /* identifies the content of a file */
    enum layer_part part;
    uint16_t size;
    const char
        *name; /* last part, `size` bytes; it lies in guard.layer or in the path that was given */
} objects[OBJECTS];
static unsigned count;

static struct stat core;

static void note(const char *path, size_t size, enum layer_part part)
{
    char copy[PATH_MAX];
    struct stat status;
    if (size == 0 || size >= sizeof copy || count == OBJECTS) return;
    memcpy(copy, path, size);
    copy[size] = '\0';
    if (sys_fstatat(AT_FDCWD, copy, &status, 0) != 0) return;
    const char *slash = memrchr(path, '/', size);
    const char *name = slash ? slash + 1 : path;
    objects[count++] = (struct object){
        status.st_dev, status.st_ino, status.st_mtim, part, (uint16_t)(path + size - name), name};
    if (part == LAYER_FILE) files_watch_name(copy);
}

/* `file` is a constant. */
static void note_own(const char *file, enum layer_part part)
{
    char path[PATH_MAX];
    if (!TEXT_JOIN(path, sizeof path, guard.layer, "/", file)) return;
    unsigned before = count;
    note(path, strlen(path), part);
    const char *slash = strrchr(file, '/');
    if (count > before) objects[before].name = slash ? slash + 1 : file;
}

void layer_start(const char *policy, const char *floor)
{
    for (const char *at = guard.layer; *at != '\0'; at++)
        if (at > guard.layer && (at[1] == '/' || at[1] == '\0'))
            note(guard.layer, (size_t)(at + 1 - guard.layer), LAYER_WAY);
    note_own("function-shield", LAYER_FILE);
    note_own("function-shield.d", LAYER_FOLDER);
    note_own(CORE_FILE, LAYER_FILE);
    note_own(SITE_FOLDER, LAYER_FOLDER);
    note_own(SITE_FOLDER "/sitecustomize.py", LAYER_FILE);
    note_own(SITE_FOLDER "/__pycache__", LAYER_FOLDER);
    note_own(POLICY_FOLDER, LAYER_FOLDER);
    note(policy, strlen(policy), LAYER_FILE);
    note(floor, strlen(floor), LAYER_FILE);
    sys_fstatat(AT_FDCWD, strchr(guard_preload_variable, '=') + 1, &core, 0);
}

static bool same_time(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

/* Another process may have replaced a file of the layer, and the inode may belong to any file
 * since. Guarded processes cannot change these files' times, so a file with another time is not the
 * layer's. A start checks the core's time. */
enum layer_part layer_part_of(const struct stat *status)
{
    for (unsigned i = 0; i < count; i++)
        if (UNLIKELY(objects[i].ino == status->st_ino) && objects[i].dev == status->st_dev &&
            (objects[i].part != LAYER_FILE || same_time(&objects[i].changed, &status->st_mtim)))
            return objects[i].part;
    return LAYER_NONE;
}

bool layer_has_name(const char *last)
{
    size_t size = strcspn(last, "/");
    for (unsigned i = 0; i < count; i++)
        if (objects[i].size == size && memcmp(objects[i].name, last, size) == 0) return true;
    return false;
}

bool layer_is_inside(const char *path) { return strstr(path, "/function-shield.d") != NULL; }

const char *layer_unloadable(void)
{
    const char *path = strchr(guard_preload_variable, '=') + 1;
    unsigned user[3], group[3];
    struct stat status;
    if (sys_call(SYS_getresuid, &user[0], &user[1], &user[2]) != 0 ||
        sys_call(SYS_getresgid, &group[0], &group[1], &group[2]) != 0 || user[0] != user[1] ||
        group[0] != group[1])
        return "would start with other effective rights than its real user and group, and the "
               "loader keeps the guard out of such a "
               "program: make the ids equal first";
    if (sys_fstatat(AT_FDCWD, path, &status, 0) != 0 || status.st_dev != core.st_dev ||
        status.st_ino != core.st_ino || status.st_size != core.st_size ||
        !same_time(&status.st_mtim, &core.st_mtim))
        return "would start without the guard: the guard's library is not where it was, or not the "
               "one that it was";
    /* faccessat checks by the real ids. The program will have the same ones. */
    if (sys_call(SYS_faccessat, AT_FDCWD, path, R_OK) != 0)
        return "would start as a user who cannot read the guard's library: let him reach the layer";
    return NULL;
}
