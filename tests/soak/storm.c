/* Threads that open, connect, fork and look names up at once, for some seconds: "storm SECONDS PORT FILE NAME PROGRAM".
 * Under the policy of soak.py nothing of it may come through but loopback and what lies outside /tmp. Prints one line of JSON: how often each was
 * done, how often something came through that must not, how many descriptors are open before and after. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OPENERS = 3, DIALLERS = 3, FORKERS = 2, ASKERS = 2, SIGNALS = 1 };

static atomic_bool over;
static atomic_ulong opens, dials, forks, questions, signals, through, broken;
static const char *file, *name, *program;
static unsigned short port;

static void must_fail(int fd)
{
    if (fd < 0) return;
    atomic_fetch_add(&through, 1);
    close(fd);
}

static int dial(const char *host, unsigned short to)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(to)};
    inet_pton(AF_INET, host, &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -2;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static void *open_things(void *unused)
{
    char made[512];
    snprintf(made, sizeof made, "%s-%lx", file, (unsigned long)pthread_self());
    while (!over) {
        must_fail(open(file, O_RDONLY | O_CLOEXEC));
        must_fail(open(made, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        FILE *stream = fopen(file, "r");
        if (stream) atomic_fetch_add(&through, 1), fclose(stream);
        int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        if (fd < 0) atomic_fetch_add(&broken, 1);
        else close(fd);
        DIR *folder = opendir("/etc");
        if (folder) closedir(folder);
        else atomic_fetch_add(&broken, 1);
        atomic_fetch_add(&opens, 5);
    }
    return unused;
}

static void *dial_things(void *unused)
{
    while (!over) {
        int fd = dial("127.0.0.1", port);
        if (fd >= 0) {
            if (write(fd, "x", 1) != 1 && errno != EPIPE && errno != ECONNRESET) atomic_fetch_add(&broken, 1);
            close(fd);
        } else if (fd == -1 && errno == EACCES) {
            atomic_fetch_add(&broken, 1);
        }
        must_fail(dial("127.66.66.66", port));
        atomic_fetch_add(&dials, 2);
        usleep(500); /* ports come back in their own time */
    }
    return unused;
}

static void *fork_things(void *unused)
{
    while (!over) {
        pid_t child = fork();
        if (child == 0) {
            int fd = open(file, O_RDONLY | O_CLOEXEC);
            _exit(fd >= 0 || dial("127.66.66.66", port) >= 0 ? 77 : 0);
        }
        if (child > 0) {
            int status = 0;
            while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
            if (!WIFEXITED(status)) atomic_fetch_add(&broken, 1);
            else if (WEXITSTATUS(status) == 77) atomic_fetch_add(&through, 1);
        }
        char *const arguments[] = {"true", NULL};
        pid_t spawned = vfork();
        if (spawned == 0) {
            execv(program, arguments);
            _exit(0);
        }
        if (spawned > 0) {
            int status = 0;
            while (waitpid(spawned, &status, 0) < 0 && errno == EINTR) continue;
        }
        if (child > 0 && spawned > 0) atomic_fetch_add(&forks, 2);
        if (child < 0 || spawned < 0) atomic_fetch_add(&broken, 1);
    }
    return unused;
}

static void *ask_things(void *unused)
{
    while (!over) {
        struct addrinfo *found = NULL;
        if (getaddrinfo(name, "443", NULL, &found) == 0) atomic_fetch_add(&through, 1), freeaddrinfo(found);
        if (getaddrinfo("127.0.0.1", "80", NULL, &found) == 0) freeaddrinfo(found);
        else atomic_fetch_add(&broken, 1);
        atomic_fetch_add(&questions, 2);
    }
    return unused;
}

static void handler(int number)
{
    (void)number;
    int error = errno;
    must_fail(open(file, O_RDONLY | O_CLOEXEC));
    atomic_fetch_add(&signals, 1);
    errno = error;
}

static void *interrupt_things(void *target)
{
    while (!over) {
        pthread_kill(*(pthread_t *)target, SIGUSR1);
        usleep(2000);
    }
    return NULL;
}

static unsigned descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 4096; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

int main(int count, char **words)
{
    if (count == 1) return 0; /* as PROGRAM, where that is this */
    if (count != 6) return 2;
    port = (unsigned short)atoi(words[2]);
    file = words[3];
    name = words[4];
    program = words[5];
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    struct addrinfo *found = NULL;
    if (getaddrinfo("127.0.0.1", "80", NULL, &found) == 0) freeaddrinfo(found);
    must_fail(dial("127.66.66.66", port));
    unsigned before = descriptors();

    pthread_t threads[OPENERS + DIALLERS + FORKERS + ASKERS + SIGNALS];
    unsigned n = 0;
    for (int i = 0; i < OPENERS; i++) pthread_create(&threads[n++], NULL, open_things, NULL);
    for (int i = 0; i < DIALLERS; i++) pthread_create(&threads[n++], NULL, dial_things, NULL);
    for (int i = 0; i < FORKERS; i++) pthread_create(&threads[n++], NULL, fork_things, NULL);
    for (int i = 0; i < ASKERS; i++) pthread_create(&threads[n++], NULL, ask_things, NULL);
    for (int i = 0; i < SIGNALS; i++) pthread_create(&threads[n++], NULL, interrupt_things, &threads[0]);
    for (int left = atoi(words[1]); left > 0;) left = (int)sleep((unsigned)left);
    over = true;
    /* The one that is sent signals ends last. */
    while (n > 0) pthread_join(threads[--n], NULL);
    printf("{\"opens\":%lu,\"dials\":%lu,\"forks\":%lu,\"questions\":%lu,\"signals\":%lu,\"through\":%lu,\"broken\":%lu,"
           "\"before\":%u,\"after\":%u}\n",
           opens, dials, forks, questions, signals, through, broken, before, descriptors());
    return 0;
}
