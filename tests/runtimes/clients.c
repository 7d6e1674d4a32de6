/* With CLIENT: a stand-in for Lambda's runtime client, a library. Without: a program that connects
 * by it, `clients LIBRARY PORT fork|jump open|-`.
 *
 * fork: 4,000 times, while two other threads fork. Prints how often it failed.
 * jump: to a server that accepts nothing, until a signal handler jumps out of the call. Then it
 * opens a file, for which the guard reserves an fd, and prints what closing the socket's fd
 * returns. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef CLIENT
int connect_to(int port, int *fd)
{
    struct sockaddr_in api = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    api.sin_port = htons(port);
    *fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(*fd, (struct sockaddr *)&api, sizeof api) == 0 ? 0 : errno;
}
#else
static atomic_bool over;
static sigjmp_buf before;

static void *fork_on(void *unused)
{
    while (!over) {
        pid_t child = fork();
        if (child == 0) _exit(0);
        waitpid(child, NULL, 0);
    }
    return NULL;
}

static void *accept_all(void *server)
{
    for (int fd; (fd = accept(*(int *)server, NULL, NULL)) >= 0;) close(fd);
    return NULL;
}

static void jump(int signal) { siglongjmp(before, signal); }

int main(int count, char **words)
{
    enum { TIMES = 4000 };
    if (count < 5) return 2;
    int port = atoi(words[2]), fd, one = 1, failed = 0;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    own.sin_port = htons(port);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool jumps = strcmp(words[3], "jump") == 0;
    if (bind(server, (struct sockaddr *)&own, sizeof own) != 0 ||
        listen(server, jumps ? 0 : 512) != 0)
        return perror("listen"), 2;
    void *library = dlopen(words[1], RTLD_NOW);
    int (*connect_to)(int, int *) = (int (*)(int, int *))dlsym(library, "connect_to");
    if (jumps) {
        signal(SIGALRM, jump);
        for (;;) { /* until the server's queue is full */
            if (sigsetjmp(before, 1) != 0) break;
            alarm(1);
            if (connect_to(port, &fd) != 0) return perror("connect"), 2;
            alarm(0);
        }
        FILE *file = strcmp(words[4], "open") == 0 ? fopen("/etc/hostname", "r") : NULL;
        printf("%s closed: %d\n", file ? "opened," : "", close(fd));
        return 0;
    }
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, accept_all, &server);
    for (unsigned i = 1; i < 3; i++) pthread_create(&threads[i], NULL, fork_on, NULL);
    for (unsigned i = 0; i < TIMES; i++) {
        failed += connect_to(port, &fd) != 0;
        close(fd);
    }
    over = true;
    for (unsigned i = 1; i < 3; i++) pthread_join(threads[i], NULL);
    printf("failed: %d\n", failed);
    return 0;
}
#endif
