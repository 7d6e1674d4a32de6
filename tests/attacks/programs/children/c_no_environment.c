// class: children
// rule: read_write_tmp
// policy: child-allowed.yaml
// success: a C program gives its child no environment at all, by posix_spawn, and the child reads a
//   file in /tmp
// proof: read
#include "attack.h"
#include <spawn.h>
#include <sys/wait.h>

int main(void)
{
    int ends[2];
    char text[512] = "";
    char *argv[] = {"cat", (char *)FILE_, NULL};
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0) return stopped("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    errno = posix_spawn(&pid, "/bin/cat", &actions, NULL, argv, NULL);
    if (errno) return stopped("posix_spawn");
    close(ends[1]);
    (void)!read(ends[0], text, sizeof text - 1);
    waitpid(pid, NULL, 0);
    return got(text);
}
