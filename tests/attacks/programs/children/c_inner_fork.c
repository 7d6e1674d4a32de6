// class: children
// rule: create_child_process
// success: a C program forks by the async-signal-safe _Fork
// proof: mark
// needs: glibc>=2.34
#include "attack.h"
#include <dlfcn.h>
#include <sys/wait.h>

int main(void)
{
    int status;
    pid_t (*inner)(void) = dlsym(RTLD_DEFAULT, "_Fork");
    pid_t pid = inner ? inner() : -1;
    if (pid == 0) {
        close(open(MARK_, O_CREAT | O_WRONLY, 0600));
        _exit(0);
    }
    if (pid < 0) return stopped("_Fork");
    waitpid(pid, &status, 0);
    return status == 0 ? reached() : stopped("the child");
}
