// class: children
// rule: create_child_process
// policy: child-fork.yaml
// needs: x86_64
// success: a system call makes a child with a stack of its own, where forks are allowed
// proof: mark
#include "attack.h"
#include <signal.h>
#include <sys/wait.h>

static uint64_t stack[4096] __attribute__((aligned(16)));

static void child(void)
{
    close(open(MARK_, O_CREAT | O_WRONLY, 0600));
    _exit(0);
}

int main(void)
{
    int status;
    uint64_t *top = stack + 4080;
    top[0] = (uint64_t)child; /* where syscall() returns to in the child */
    long pid = syscall(SYS_clone, SIGCHLD, top, 0, 0, 0);
    if (pid < 0) return stopped("clone");
    waitpid((pid_t)pid, &status, 0);
    return status == 0 ? reached() : stopped("the child");
}
