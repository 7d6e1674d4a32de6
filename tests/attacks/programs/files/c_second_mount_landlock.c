// class: files
// rule: read_write_tmp
// success: a file of /tmp is read through a second mount, by a process that keeps itself (Landlock)
//   from reading what lies elsewhere, so that the guard cannot read the mounts either
// proof: read
// needs: namespace mounted
#include "attack.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

int main(void)
{
    const char *other = getenv("ATTACK_MOUNT");
    const unsigned long read_file = 1 << 2; /* LANDLOCK_ACCESS_FS_READ_FILE */
    char path[512];
    struct {
        unsigned long handled;
    } rules = {read_file};
    struct {
        unsigned long allowed;
        int parent;
    } __attribute__((packed)) below = {read_file, -1};
    /* The folder above: it lies in no other mount. */
    snprintf(path, sizeof path, "%s", other);
    strrchr(path, '/')[0] = '\0';
    below.parent = open(path[0] ? path : "/", O_RDONLY | O_DIRECTORY);
    int ruleset = (int)syscall(444, &rules, sizeof rules, 0); /* landlock_create_ruleset */
    if (ruleset >= 0) {
        syscall(445, ruleset, 1 /* PATH_BENEATH */, &below, 0);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (syscall(446, ruleset, 0) != 0) return stopped("landlock_restrict_self");
    }
    snprintf(path, sizeof path, "%s%s", other, FILE_ + strlen("/tmp"));
    int fd = open(path, O_RDONLY);
    return fd < 0 ? stopped("open") : got_from(fd);
}
