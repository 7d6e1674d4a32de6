// class: children
// rule: create_child_process
// success: a C program makes a child without a signal for its end, which only __WALL waits for
// proof: mark
#include "attack.h"
#include <sys/wait.h>

int main(void)
{
    int status;
    long pid = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (pid == 0) {
        close(open(MARK_, O_CREAT | O_WRONLY, 0600));
        _exit(0);
    }
    if (pid < 0) return stopped("clone");
    waitpid((pid_t)pid, &status, __WALL);
    return status == 0 ? reached() : stopped("the child");
}
