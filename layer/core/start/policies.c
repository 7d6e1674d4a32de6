/* The policies of this process. See policies.h. */
#include "start/policies.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "files/files.h"
#include "guard/facts.h"
#include "guard/guard.h"
#include "events/announce.h"
#include "policy/expansion.h"
#include "support/digest.h"
#include "support/sys.h"
#include "support/text.h"

static bool kernel_is(int major, int minor)
{
    struct utsname names;
    if (sys_call(SYS_uname, &names) != 0) return false;
    int first = text_int(names.release);
    const char *dot = strchr(names.release, '.');
    return first > major || (first == major && dot && text_int(dot + 1) >= minor);
}

/* Makes the memory read-only for good. */
static void seal(void *bytes, size_t size)
{
    sys_call(SYS_mprotect, bytes, size, PROT_READ);
    /* Only where the kernel has the call: a sandbox may kill a process for a system call that it
     * does not know. */
    if (kernel_is(6, 10)) sys_call(462 /* mseal */, bytes, size, 0);
    files_protect_memory(bytes, size);
}

/* Maps a private copy of a policy: the file may change, the copy cannot. */
static const struct fs_policy *map_policy(const char *path, const char *expected, char sha256[65])
{
    struct stat status;
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 || sys_fstat(fd, &status) != 0)
        announce_refused("the compiled policy cannot be read: attach the layer again");
    if (status.st_size < (long)sizeof(struct fs_policy) ||
        status.st_size > (long)FS_POLICY_MAX_SIZE)
        announce_refused("the compiled policy is damaged: compile it again");
    size_t size = (size_t)status.st_size;
    char *bytes = (char *)sys_call(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if ((unsigned long)bytes > -4096ul) announce_refused("there is no memory for the policy");
    size_t done = 0;
    while (done < size) {
        long got = sys_read(fd, bytes + done, size - done);
        if (got == -EINTR) continue;
        if (got <= 0)
            announce_refused("the compiled policy cannot be read: attach the layer again");
        done += (size_t)got;
    }
    sys_close(fd);
    fs_sha256_hex(bytes, size, sha256);
    if (strcmp(sha256, expected) != 0)
        announce_refused("the compiled policy changed while the function ran");
    if (fs_policy_check(bytes, size) != NULL)
        announce_refused("the compiled policy is damaged: compile it again");
    seal(bytes, size);
    return (const struct fs_policy *)bytes;
}

void policies_map(const char *policy, const char *policy_sha, const char *floor,
                  const char *floor_sha)
{
    guard.policy = map_policy(policy, policy_sha, guard_policy_sha256);
    guard.policy_name = fs_policy_string(guard.policy, guard.policy->name);
    guard.emf_namespace = fs_policy_string(guard.policy, guard.policy->emf_namespace);
    if (!floor[0]) return;
    guard.floor = map_policy(floor, floor_sha, guard_floor_sha256);
    guard.floor_name = fs_policy_string(guard.floor, guard.floor->name);
}

static const char *start_value(void *context, const char *name)
{
    (void)context;
    return facts_value(name);
}

void policies_expand(void)
{
    static struct fs_expansion expansions[2];
    const struct fs_policy *policies[] = {guard.policy, guard.floor};
    for (unsigned i = 0; i < 2; i++) {
        size_t size = policies[i] ? fs_expansion_size(policies[i]) : 0;
        if (size == 0) continue;
        for (uint32_t at = 0; at < policies[i]->variables.count; at++) {
            const struct fs_variable *variable =
                fs_policy_item(policies[i], FS_SECTION_VARIABLES, at);
            if (variable) facts_add(fs_policy_string(policies[i], variable->name));
        }
        void *memory = (void *)sys_call(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((unsigned long)memory > -4096ul) announce_refused("there is no memory for the policy");
        if (!fs_expand(policies[i], start_value, NULL, memory,
                       &expansions[guard.facts.expansion_count]))
            continue;
        seal(memory, size);
        guard.facts.expansion_count++;
    }
    guard.facts.expansions = expansions;
}

void policies_watch(void)
{
    for (unsigned family = 0; family < FS_INTEGRITY; family++) {
        uint8_t mode = guard.policy->modes[family];
        if (guard.floor && guard.floor->modes[family] > mode) mode = guard.floor->modes[family];
        guard.watched[family] = mode != FS_ALLOW;
        if (mode != FS_ALLOW) guard.watches_any = true;
        if (mode == FS_BLOCK && !guard.dry_run) guard.blocks_any = true;
    }
    guard.watched[FS_INTEGRITY] = guard.blocks_any;
    guard.loopback_listed = ((guard.policy->flags | (guard.floor ? guard.floor->flags : 0)) &
                             FS_FLAG_LOOPBACK_LISTED) != 0;
}
