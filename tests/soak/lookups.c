/* Honest threads side by side. Some look up an allowed name and connect to the result. Others open,
 * copy, replace and close their own fds. Everything must work as if the other threads and the guard
 * did not exist.
 *
 *      lookups SECONDS NAME ADDRESS OTHER-ADDRESS
 *
 * Prints the counts as JSON. `broken` counts wrong results, and `learnt` connections to the
 * other address. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOKING = 4, CONNECTING = 3, CHURNING = 4, PORT = 443 };

static const char *name;
static struct in_addr expected;
static atomic_bool over;
static atomic_ulong lookups, connections, churns, forks, broken;

static void breaks(const char *what, int error)
{
    if (atomic_fetch_add(&broken, 1) < 20) fprintf(stderr, "%s: %s\n", what, strerror(error));
}

static struct sockaddr_in place(struct in_addr address)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = address};
}

static void by_getaddrinfo(struct in_addr *found)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int status = getaddrinfo(name, "443", &hints, &list);
    if (status != 0) {
        breaks(gai_strerror(status), errno);
        return;
    }
    *found = ((const struct sockaddr_in *)(const void *)list->ai_addr)->sin_addr;
    freeaddrinfo(list);
}

static void by_host(struct in_addr *found)
{
    struct hostent host, *result = NULL;
    char buffer[4096];
    int error = 0;
    if (gethostbyname2_r(name, AF_INET, &host, buffer, sizeof buffer, &result, &error) != 0 ||
        result == NULL)
        breaks("gethostbyname2_r", errno);
    else
        memcpy(found, result->h_addr_list[0], sizeof *found);
}

static void by_query(struct in_addr *found)
{
    unsigned char answer[2048];
    int size = res_query(name, 1, 1, answer, sizeof answer);
    if (size < 16)
        breaks("res_query", errno);
    else
        memcpy(found, answer + size - 4, sizeof *found);
}

static void *look(void *seed)
{
    unsigned state = (unsigned)(unsigned long)seed;
    while (!over) {
        struct in_addr found = expected;
        switch (rand_r(&state) % 4) {
        case 0: by_host(&found); break;
        case 1: by_query(&found); break;
        default: by_getaddrinfo(&found); break;
        }
        if (found.s_addr != expected.s_addr) breaks("another address", 0);
        lookups++;
    }
    return NULL;
}

static void *dial(void *unused)
{
    while (!over) {
        struct in_addr found = expected;
        by_getaddrinfo(&found);
        struct sockaddr_in to = place(found);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), copy;
        if (fd < 0) {
            breaks("socket", errno);
            continue;
        }
        if ((copy = dup(fd)) < 0) {
            breaks("dup", errno);
            close(fd);
            continue;
        }
        if (connect(copy, (const struct sockaddr *)&to, sizeof to) != 0) breaks("connect", errno);
        if (close(fd) != 0 || close(copy) != 0) breaks("close of a connection", errno);
        connections++;
    }
    return unused;
}

/* What is written to one copy comes out of another, whatever their fds. */
static void pass_on(unsigned *state)
{
    int pair[2], spare = open("/dev/null", O_RDWR | O_CLOEXEC);
    char got = 0, sent = (char)rand_r(state);
    int made = rand_r(state) % 2 ? pipe2(pair, O_CLOEXEC)
                                 : socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    if (spare < 0 || made != 0) {
        breaks("pipe", errno);
        return;
    }
    int copy =
        rand_r(state) % 2 ? dup3(pair[1], spare, O_CLOEXEC) : fcntl(pair[1], F_DUPFD_CLOEXEC, 3);
    if (copy < 0 || write(copy, &sent, 1) != 1 || read(pair[0], &got, 1) != 1 || got != sent)
        breaks("a copy", errno);
    if (copy != spare && close(spare) != 0) breaks("close of a spare", errno);
    if (close(pair[0]) != 0 || close(pair[1]) != 0 || close(copy) != 0) breaks("close", errno);
}

/* The reader sees the end as soon as the writer is closed: nobody else keeps a copy for longer
 * than a moment. */
static void end(void)
{
    int pair[2];
    char got;
    if (pipe2(pair, O_CLOEXEC) != 0) {
        breaks("pipe", errno);
        return;
    }
    if (close(pair[1]) != 0 || read(pair[0], &got, 1) != 0) breaks("the end of a pipe", errno);
    close(pair[0]);
}

static void read_hosts(void)
{
    char text[512];
    int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text) < 0 || close(fd) != 0) breaks("/etc/hosts", errno);
}

static void be_forked(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) _exit(7);
    if (child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7)
        breaks("fork", errno);
    forks++;
}

static void *churn(void *seed)
{
    unsigned state = (unsigned)(unsigned long)seed;
    while (!over) {
        switch (rand_r(&state) % 64) {
        case 0: be_forked(); break;
        case 1 ... 15: read_hosts(); break;
        case 16 ... 30: end(); break;
        default: pass_on(&state); break;
        }
        churns++;
    }
    return NULL;
}

static int fds(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) count++;
    if (folder != NULL) closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    struct in_addr other;
    pthread_t threads[LOOKING + CONNECTING + CHURNING];
    unsigned count = 0;
    if (argc != 5 || inet_pton(AF_INET, argv[3], &expected) != 1 ||
        inet_pton(AF_INET, argv[4], &other) != 1)
        return 2;
    name = argv[2];
    struct in_addr found = {0};
    by_getaddrinfo(&found);
    int before = fds();
    for (unsigned long i = 0; i < LOOKING; i++)
        pthread_create(&threads[count++], NULL, look, (void *)(i + 1));
    for (unsigned i = 0; i < CONNECTING; i++) pthread_create(&threads[count++], NULL, dial, NULL);
    for (unsigned long i = 0; i < CHURNING; i++)
        pthread_create(&threads[count++], NULL, churn, (void *)(i + 9));
    sleep((unsigned)atoi(argv[1]));
    over = true;
    for (unsigned i = 0; i < count; i++) pthread_join(threads[i], NULL);
    struct sockaddr_in to = place(other);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int learnt = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 || errno != EACCES;
    close(fd);
    printf("{\"lookups\": %lu, \"connections\": %lu, \"churns\": %lu, \"forks\": %lu, \"broken\": "
           "%lu, \"learnt\": %d, "
           "\"before\": %d, \"after\": %d}\n",
           lookups, connections, churns, forks, broken, learnt, before, fds());
    return 0;
}
