/* Times one libc call: micro CALL COUNT [PATH]. Prints nanoseconds a call, the median of rounds.
 *
 *   open     open for reading and close of PATH
 *   create   open with O_CREAT of a new file beside PATH and close; its removal is not timed
 *   connect  connect to a listener of this process on 127.0.0.1
 *   lookup   getaddrinfo of a numeric host
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 9 };

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t time_open(const char *path, long count)
{
    uint64_t begin = now();
    for (long i = 0; i < count; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) fail("open");
        close(fd);
    }
    return now() - begin;
}

static uint64_t time_create(const char *path, long count)
{
    char name[4096];
    uint64_t sum = 0;
    if ((size_t)snprintf(name, sizeof name, "%s.new", path) >= sizeof name) exit(1);
    for (long i = 0; i < count; i++) {
        uint64_t begin = now();
        int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0) fail("create");
        close(fd);
        sum += now() - begin;
        unlink(name);
    }
    return sum;
}

static uint64_t time_connect(long count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    uint64_t sum = 0;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        fail("listen");
    for (long i = 0; i < count; i++) {
        int one = socket(AF_INET, SOCK_STREAM, 0), other;
        /* Close with a reset, so that no port stays in TIME_WAIT. */
        struct linger now_or_never = {1, 0};
        setsockopt(one, SOL_SOCKET, SO_LINGER, &now_or_never, sizeof now_or_never);
        uint64_t begin = now();
        if (connect(one, (struct sockaddr *)&address, sizeof address)) fail("connect");
        sum += now() - begin;
        other = accept(listener, NULL, NULL);
        close(one);
        close(other);
    }
    close(listener);
    return sum;
}

static uint64_t time_lookup(long count)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found;
    uint64_t begin = now();
    for (long i = 0; i < count; i++) {
        if (getaddrinfo("127.0.0.1", "80", &hints, &found)) fail("getaddrinfo");
        freeaddrinfo(found);
    }
    return now() - begin;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments)
{
    double rounds[ROUNDS];
    if (count < 3) return 2;
    const char *call = arguments[1], *path = count > 3 ? arguments[3] : "";
    long calls = strtol(arguments[2], NULL, 10);
    if (calls < 1) return 2;
    for (int i = -1; i < ROUNDS; i++) { /* the first round warms up */
        uint64_t took = !strcmp(call, "open")      ? time_open(path, calls)
                        : !strcmp(call, "create")  ? time_create(path, calls)
                        : !strcmp(call, "connect") ? time_connect(calls)
                                                   : time_lookup(calls);
        if (i >= 0) rounds[i] = (double)took / (double)calls;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, by_size);
    printf("%.1f\n", rounds[ROUNDS / 2]);
    return 0;
}
