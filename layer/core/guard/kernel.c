#include "guard/kernel.h"

#include <signal.h>
#include <string.h>

#include "guard/guard.h"
#include "support/reader.h"
#include "support/sys.h"
#include "support/text.h"

#define RESOURCE_FILE_SIZE 1 /* RLIMIT_FSIZE */

struct limits {
    uint64_t soft, hard;
};

static const char *says;
static char mount_reason[320];

static bool wants(const struct fs_policy *policy)
{
    return policy && (policy->flags & FS_FLAG_KERNEL_FILE_SIZE);
}

/* This policy blocks all of /tmp. */
static bool closes_tmp(const struct fs_policy *policy, bool *excepts)
{
    if (!policy || policy->modes[FS_TMP] != FS_BLOCK) return false;
    if (policy->flags & FS_FLAG_TMP_EPHEMERAL) return false;
    struct fs_section section = policy->sections[FS_SECTION_PATHS];
    uint64_t end = (uint64_t)section.offset + (uint64_t)section.count * sizeof(struct fs_path);
    if (end > policy->size) return false;
    const struct fs_path *paths =
        (const struct fs_path *)(const void *)((const char *)policy + section.offset);
    for (uint32_t i = 0; i < section.count; i++) {
        if (paths[i].family != FS_TMP) continue;
        *excepts = true;
        return false;
    }
    return true;
}

static bool is_regular(int fd)
{
    struct stat status;
    return fd >= 0 && sys_fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* ---- other mounts ---- */

/* One field up to a space or the line's end, which it returns; what does not fit is dropped. */
static int read_field(struct reader *reader, char *out, size_t size)
{
    size_t used = 0;
    for (;;) {
        int c = reader_next(reader);
        if (c == ' ' || c == '\n' || c < 0) {
            out[used] = '\0';
            return c;
        }
        if (used + 1 < size) out[used++] = (char)c;
    }
}

static bool is_or_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static bool may_write(const char *options)
{
    return strncmp(options, "rw", 2) == 0 && (options[2] == ',' || options[2] == '\0');
}

/* A mounted file (a container's /etc/hosts) counts only if this user can write to it. A mounted
 * folder always counts, because the user may own a folder somewhere below it. */
static bool counts(const char *point)
{
    static const char *const system[] = {"/proc", "/sys", "/dev", "/tmp"};
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        if (is_or_below(point, system[i])) return false;
    struct stat status;
    if (sys_fstatat(AT_FDCWD, point, &status, 0) != 0 || S_ISDIR(status.st_mode)) return true;
    return sys_call(SYS_faccessat, AT_FDCWD, point, 2 /* W_OK */) == 0;
}

/* Finds a writable mount other than those that the other rings cover. Returns the reason, or NULL.
 * A mount below a later one at the same place counts as well. Format: proc_pid_mountinfo(5). */
static const char *find_mount(void)
{
    struct reader reader = {
        .fd = sys_openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0)};
    if (reader.fd < 0) return "the mounts cannot be read";
    char point[256], options[8], field[8];
    const char *found = NULL;
    for (int c = ' '; !found && c >= 0;) {
        for (unsigned i = 0; i < 4 && c == ' '; i++) c = read_field(&reader, field, sizeof field);
        if (c != ' ') break;
        c = read_field(&reader, point, sizeof point);
        if (c == ' ') c = read_field(&reader, options, sizeof options);
        while (c == ' ' && strcmp(field, "-") != 0) c = read_field(&reader, field, sizeof field);
        for (unsigned i = 0; i < 3 && c == ' '; i++)
            c = read_field(&reader, field, sizeof field); /* type, source, options */
        bool writable = may_write(options) && may_write(field);
        while (c == ' ') c = read_field(&reader, field, sizeof field);
        if (writable && counts(point)) {
            (void)TEXT_JOIN(mount_reason, sizeof mount_reason,
                            "another file system can be written to: ", point);
            found = mount_reason;
        }
        if (c == '\n') c = ' ';
        field[0] = '\0';
    }
    sys_close(reader.fd);
    return found;
}

/* ---- the limit ---- */

static const char *find_reason(void)
{
    bool excepts = false;
    if (guard.dry_run) return "a dry run blocks nothing";
    if (!closes_tmp(guard.policy, &excepts) && !closes_tmp(guard.floor, &excepts))
        return excepts ? "read_write_tmp has exceptions" : "read_write_tmp does not block";
    if (is_regular(1)) return "standard output is a regular file";
    if (is_regular(2)) return "standard error is a regular file";
    if (is_regular(guard.event_fd)) return "events go to a regular file";
    return find_mount();
}

/* A write past the limit fails with EFBIG and raises SIGXFSZ, which ends the process by default.
 * So the signal is ignored, unless the program has a handler. */
static void survive(void)
{
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } action;
    if (sys_call(SYS_rt_sigaction, SIGXFSZ, NULL, &action, 8) != 0 ||
        action.handler != (void *)SIG_DFL)
        return;
    memset(&action, 0, sizeof action);
    action.handler = (void *)SIG_IGN;
    sys_call(SYS_rt_sigaction, SIGXFSZ, &action, NULL, 8);
}

bool kernel_arm(bool really)
{
    struct limits limits;
    if (guard.is_wrapper || (!wants(guard.policy) && !wants(guard.floor))) return false;
    if (!guard.is_function) {
        if (sys_call(SYS_prlimit64, 0, RESOURCE_FILE_SIZE, NULL, &limits) == 0 && limits.hard == 0)
            survive();
        return false;
    }
    says = find_reason();
    if (!says && really) {
        limits = (struct limits){0, 0};
        if (sys_call(SYS_prlimit64, 0, RESOURCE_FILE_SIZE, &limits, NULL) != 0)
            says = "the kernel refuses the limit";
        if (!says) survive();
    }
    if (says) return false;
    says = "file_size";
    return true;
}

const char *kernel_summary(void) { return says; }
