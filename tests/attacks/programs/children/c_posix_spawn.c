// class: children
// rule: create_child_process
// success: a C program starts another by posix_spawn
// proof: mark
#include "attack.h"
#include <spawn.h>
#include <sys/wait.h>

int main(void)
{
    int status;
    pid_t pid;
    char *argv[] = {"touch", (char *)MARK_, NULL};
    errno = posix_spawnp(&pid, "touch", NULL, NULL, argv, environ);
    if (errno) return stopped("posix_spawnp");
    waitpid(pid, &status, 0);
    return status == 0 ? reached() : stopped("the child");
}
