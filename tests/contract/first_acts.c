/* Children whose threads all come to their first act at the same moment. Each opens one file many
 * times. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ACTS = 4 };

static atomic_uint waiting;

static void *act(void *path)
{
    atomic_fetch_add(&waiting, 1);
    while (atomic_load(&waiting) < THREADS) continue;
    for (unsigned i = 0; i < ACTS; i++) {
        int fd = open(path, O_RDONLY);
        if (fd >= 0) close(fd);
    }
    return NULL;
}

static void run(char *path)
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, act, path) != 0) abort();
    for (unsigned i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    int children = argc == 3 ? atoi(argv[2]) : 0;
    if (children == 0) run(argv[1]);
    for (int i = 0; i < children; i++) {
        pid_t pid = fork();
        int status = 0;
        if (pid == 0) {
            run(argv[1]);
            exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) return 1;
    }
    return 0;
}
