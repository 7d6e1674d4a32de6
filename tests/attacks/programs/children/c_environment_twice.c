// class: children
// rule: read_write_tmp guard_integrity
// policy: child-allowed.yaml
// success: a C program gives its child LD_PRELOAD twice, and malformed, and the child reads a file
//   in /tmp
// proof: read
#include "attack.h"
#include <sys/wait.h>

int main(void)
{
    int ends[2];
    char text[512] = "";
    char *argv[] = {"cat", (char *)FILE_, NULL};
    char *envp[] = {"LD_PRELOAD",
                    "=",
                    "",
                    "LD_PRELOAD=/nothing",
                    "FUNCTION_SHIELD_STATE=x",
                    "FUNCTION_SHIELD_STATE=y",
                    "LD_PRELOAD=",
                    "LD_PRELOAD=",
                    "LD_AUDIT=/nothing",
                    NULL};
    if (pipe(ends) != 0) return stopped("pipe");
    pid_t pid = fork();
    if (pid < 0) return stopped("fork");
    if (pid == 0) {
        dup2(ends[1], 1);
        execve("/bin/cat", argv, envp);
        _exit(127);
    }
    close(ends[1]);
    (void)!read(ends[0], text, sizeof text - 1);
    waitpid(pid, NULL, 0);
    return got(text);
}
