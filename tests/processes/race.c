/* race LINK ALLOWED OTHER ROUNDS: one thread switches LINK between ALLOWED and OTHER, the other
 * one starts LINK. Prints how often each of them ran: ALLOWED exits with 0, OTHER with 1. */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char **arguments;
static volatile int done;

static void *turn(void *unused)
{
    char made[4096];
    (void)unused;
    snprintf(made, sizeof made, "%s.made", arguments[1]);
    for (int i = 0; !done; i++) {
        if (symlink(arguments[2 + i % 2], made) == 0) rename(made, arguments[1]);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int ran = 0, other = 0;
    if (argc < 5) return 2;
    arguments = argv;
    if (symlink(argv[2], argv[1]) != 0) return 2;
    pthread_create(&thread, NULL, turn, NULL);
    for (int i = 0; i < atoi(argv[4]); i++) {
        char *list[] = {argv[1], NULL};
        pid_t pid;
        int status;
        if (posix_spawn(&pid, argv[1], NULL, NULL, list, environ) != 0) continue;
        waitpid(pid, &status, 0);
        if (status == 0)
            ran++;
        else if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
            other++;
    }
    done = 1;
    pthread_join(thread, NULL);
    printf("ran %d\nother %d\n", ran, other);
    return 0;
}
