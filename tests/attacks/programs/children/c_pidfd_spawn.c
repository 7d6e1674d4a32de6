// class: children
// rule: create_child_process
// needs: glibc>=2.39
// success: a C program starts another by pidfd_spawn
// proof: mark
#include "attack.h"
#include <dlfcn.h>
#include <spawn.h>
#include <sys/wait.h>

int main(void)
{
    int fd;
    char *argv[] = {"touch", (char *)MARK_, NULL};
    int (*spawn)(int *, const char *, const void *, const void *, char *const *, char *const *) =
        dlsym(RTLD_DEFAULT, "pidfd_spawnp");
    errno = spawn ? spawn(&fd, "touch", NULL, NULL, argv, environ) : ENOSYS;
    if (errno) return stopped("pidfd_spawnp");
    siginfo_t info;
    waitid(P_PIDFD, fd, &info, WEXITED);
    return info.si_status == 0 ? reached() : stopped("the child");
}
