/* rewrite ENV ROUNDS: one thread switches a variable's name to LD_AUDIT and back, the other one
 * starts ENV with it. Prints how often ENV saw a loader variable. */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char variable[] = "XD_TRACE_LOADED_OBJECTS=1";
static volatile int done;

static void *turn(void *unused)
{
    (void)unused;
    while (!done) {
        ((volatile char *)variable)[0] = 'L';
        ((volatile char *)variable)[0] = 'X';
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int through = 0, started = 0;
    if (argc < 3) return 2;
    pthread_create(&thread, NULL, turn, NULL);
    for (int i = 0; i < atoi(argv[2]); i++) {
        char *list[] = {argv[1], NULL}, *environment[] = {variable, NULL}, line[4096];
        int ends[2];
        pid_t pid;
        posix_spawn_file_actions_t actions;
        if (pipe(ends) != 0) return 2;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        if (posix_spawn(&pid, argv[1], &actions, NULL, list, environment) != 0) return 2;
        close(ends[1]);
        FILE *stream = fdopen(ends[0], "r");
        /* With LD_TRACE_LOADED_OBJECTS, the loader lists libraries instead of running the
         * program. */
        while (fgets(line, sizeof line, stream))
            if (strstr(line, "=>")) {
                through++;
                break;
            }
        fclose(stream);
        waitpid(pid, NULL, 0);
        started++;
    }
    done = 1;
    pthread_join(thread, NULL);
    printf("started %d\nthrough %d\n", started, through);
    return 0;
}
