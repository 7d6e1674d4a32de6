// class: children
// rule: create_child_process
// policy: child-fork.yaml
// success: a process with the memory of its parent begins, where forks are allowed
// proof: mark
#include "attack.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static char stack[65536] __attribute__((aligned(16)));

static int child(void *unused)
{
    (void)unused;
    close(open(MARK_, O_CREAT | O_WRONLY, 0600));
    return 0;
}

int main(void)
{
    int status;
    pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    if (pid < 0) return stopped("clone");
    waitpid(pid, &status, 0);
    return status == 0 ? reached() : stopped("the child");
}
