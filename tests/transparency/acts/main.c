/* Programs that use libc in ways that an interposing guard could break. `acts NAME` performs one
 * act and prints the result. The tests compare the output with and without the guard, so nothing
 * here prints what differs between two runs. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "acts.h"

char folder[] = "/tmp/function-shield-acts-XXXXXX";

void show(const char *what, long result)
{
    int error = errno;
    if (result < 0)
        printf("%s: %s\n", what, strerrorname_np(error) ? strerrorname_np(error) : "?");
    else
        printf("%s: done\n", what);
    errno = 0;
}

void wait_for(const char *what, pid_t pid)
{
    int status = -1;
    pid_t waited = waitpid(pid, &status, 0);
    printf("%s: %s, %s %d\n", what, waited == pid ? "waited" : "lost",
           WIFEXITED(status) ? "exit" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*act)(void);
    } acts[] = {
        {"threads", threads},   {"smallest_stack", smallest_stack},
        {"closing", closing},   {"daemonise", daemonise},
        {"signals", signals},   {"forking", forking},
        {"spawning", spawning}, {"streams", streams},
        {"listing", listing},   {"files", files},
        {"stdio", stdio},       {"standing_in", standing_in},
        {"locks", locks},       {"sockets", sockets},
        {"names", names},       {"symbols", symbols},
        {"raw", raw},           {"executing", executing},
        {"limits", limits},
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (mkdtemp(folder) == NULL) return 1;
    for (size_t i = 0; argc > 1 && i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(argv[1], acts[i].name) != 0) continue;
        alarm(60);
        acts[i].act();
        fflush(stdout);
        rmdir(folder);
        return 0;
    }
    rmdir(folder);
    for (size_t i = 0; argc == 1 && i < sizeof acts / sizeof *acts; i++) puts(acts[i].name);
    return argc == 1 ? 0 : 2;
}
