/* The rule for child processes. See processes.h. */
#include "processes/processes.h"

#include <limits.h>
#include <sched.h>
#include <time.h>

#include "processes/program.h"
#include "support/sys.h"
#include "events/events.h"

#define FALL_BACK_NS 20000000

/* This thread's last refusal. */
static __thread struct {
    uint64_t object;
    struct timespec at;
} last_refusal __attribute__((tls_model("initial-exec")));

bool processes_resolve(int fd, char *resolved)
{
    char link[48];
    struct stat here, there;
    fs_program_fd_path(fd, link);
    long size = sys_readlinkat(AT_FDCWD, link, resolved, PATH_MAX - 1);
    resolved[size > 0 ? size : 0] = '\0';
    if (size <= 0 || resolved[0] != '/' || sys_fstat(fd, &here) != 0) return false;
    return here.st_nlink > 0 && sys_fstatat(AT_FDCWD, resolved, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

struct fs_verdict processes_decide(const char *resolved, const void *caller)
{
    struct fs_verdict verdict = {
        .mode = FS_ALLOW, .policy_mode = FS_ALLOW, .reason = FS_ALWAYS, .rule = UINT32_MAX};
    if (guard.is_wrapper || guard_ignores(FS_PROCESS)) return verdict;
    struct fs_request request = {
        .family = FS_PROCESS, .path = resolved, .facts = &guard.facts, .caller = caller};
    verdict = guard_decide(&request);
    if (resolved == NULL && verdict.mode != FS_ALLOW) verdict.reason = FS_MALFORMED;
    return verdict;
}

bool processes_is_shown(const char *resolved)
{
    return guard_runs_covered || guard_noted(FS_PROCESS, resolved);
}

void processes_report_blocked(const struct act *act, const struct fs_verdict *verdict)
{
    struct timespec now;
    uint64_t object = guard_object_hash(act->path);
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t since = (int64_t)(now.tv_sec - last_refusal.at.tv_sec) * 1000000000 +
                    (now.tv_nsec - last_refusal.at.tv_nsec);
    if (last_refusal.object == object && since >= 0 && since < FALL_BACK_NS) {
        last_refusal.object = 0; /* one fallback only */
        return;
    }
    last_refusal.object = object;
    last_refusal.at = now;
    events_report(act, verdict, NULL, 0);
}

void processes_forget_refusal(void) { last_refusal.object = 0; }

bool processes_have_exceptions(void)
{
    static atomic_int known; /* 0: not counted yet, 1: none, 2: some */
    int state = atomic_load_explicit(&known, memory_order_relaxed);
    if (state != 0) return state == 2;
    state = 1;
    const struct fs_policy *policies[] = {guard.policy, guard.floor};
    for (unsigned i = 0; i < 2; i++) {
        const struct fs_path *path;
        for (uint32_t at = 0;
             policies[i] && (path = fs_policy_item(policies[i], FS_SECTION_PATHS, at)); at++)
            if (path->family == FS_PROCESS &&
                fs_policy_string(policies[i], path->pattern)[0] == '/')
                state = 2;
    }
    atomic_store_explicit(&known, state, memory_order_relaxed);
    return state == 2;
}

struct fs_verdict processes_judge_fork(unsigned long flags, const void *caller)
{
    return processes_decide(flags & (CLONE_VM | CLONE_FILES) ? NULL : FS_FORK, caller);
}
