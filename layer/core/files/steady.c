/* Steady paths. See steady.h. */
#include "files/steady.h"

#include <limits.h>
#include <string.h>

#include "support/sys.h"
#include "support/text.h"

enum { MAX_LINKS = 40 };

/* Root can write anywhere, and no guard inside the process can stop root. For root the system's own
 * folders count as steady and no others do, so that tests that run as root cover the same races. */
static bool is_system_path(const char *path)
{
    static const char *const folders[] = {"/usr/",   "/bin/", "/sbin/",     "/lib/",
                                          "/lib64/", "/opt/", "/var/lang/", "/var/runtime/"};
    if (strstr(path, "/..") != NULL) return false;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0) return true;
    return false;
}

static bool may_write(int folder)
{
    long error = sys_call(SYS_faccessat, folder, ".", 2 /* W_OK */);
    if (error == 0) return true;
    if (error == -EROFS) return false;
    struct stat status;
    return sys_fstat(folder, &status) != 0 ||
           status.st_uid == (uid_t)sys_call(SYS_geteuid); /* an owner may chmod */
}

bool steady_path(const char *path)
{
    char rest[PATH_MAX], link[PATH_MAX];
    size_t size = strnlen(path, sizeof rest);
    if (path[0] != '/' || size == sizeof rest) return false;
    if (sys_call(SYS_geteuid) == 0) return is_system_path(path);
    memcpy(rest, path, size + 1);
    char *at = rest;
    int folder = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    bool steady = folder >= 0;
    for (unsigned links = 0; steady;) {
        while (*at == '/') at++;
        if (*at == '\0') break;
        if (may_write(folder)) {
            steady = false;
            break;
        }
        size_t length = strcspn(at, "/");
        char after = at[length];
        at[length] = '\0';
        int next = sys_openat(folder, at, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
        struct stat status;
        if (next == -ENOENT) break; /* and no process with these rights can create it */
        if (next < 0 || sys_fstat(next, &status) != 0) {
            if (next >= 0) sys_close(next);
            steady = false;
            break;
        }
        if (S_ISLNK(status.st_mode)) {
            long got = sys_readlinkat(next, "", link, sizeof link);
            sys_close(next);
            size_t left = after != '\0' ? strlen(at + length + 1) + 1 : 0;
            if (got <= 0 || ++links > MAX_LINKS || (size_t)got + left + 1 > sizeof link) {
                steady = false;
                break;
            }
            link[got] = '\0';
            if (left > 0) {
                link[got] = '/';
                memcpy(link + got + 1, at + length + 1, left);
            }
            memcpy(rest, link, (size_t)got + left + 1);
            at = rest;
            if (rest[0] == '/') {
                sys_close(folder);
                folder = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
                steady = folder >= 0;
            }
            continue;
        }
        if (after == '\0') {
            sys_close(next);
            break;
        }
        if (!S_ISDIR(status.st_mode)) {
            sys_close(next);
            steady = false;
            break;
        }
        sys_close(folder);
        folder = next;
        at += length + 1;
    }
    if (folder >= 0) sys_close(folder);
    return steady;
}

bool steady_folder(const char *folder)
{
    char below[PATH_MAX];
    return TEXT_JOIN(below, sizeof below, folder, "/x") && steady_path(below);
}
