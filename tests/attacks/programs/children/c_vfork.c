// class: children
// rule: create_child_process
// success: a C program starts another after vfork
// proof: mark
#include "attack.h"
#include <sys/wait.h>

int main(void)
{
    int status;
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/usr/bin/touch", "touch", MARK_, NULL);
        _exit(127);
    }
    if (pid < 0) return stopped("vfork");
    waitpid(pid, &status, 0);
    return status == 0 ? reached() : stopped("exec");
}
