// class: children
// rule: create_child_process
// success: a C program makes a child that shares its memory, by clone
// proof: mark
#include "attack.h"
#include <sched.h>
#include <sys/wait.h>

static char stack[65536];

static int child(void *unused)
{
    int fd = open(MARK_, O_CREAT | O_WRONLY, 0600);
    return fd < 0;
}

int main(void)
{
    int status;
    pid_t pid = clone(child, stack + sizeof stack - 64, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
    if (pid < 0) return stopped("clone");
    waitpid(pid, &status, 0);
    return status == 0 ? reached() : stopped("the child");
}
