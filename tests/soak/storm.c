/* Threads that open, connect, fork and look names up at the same time, for some seconds: "storm
 * SECONDS FILE NAME PROGRAM [RESOLVER ALLOWED GREETING OTHER_GREETING]".
 *
 * Under the policy of soak.py, only loopback and files outside /tmp may be reached. With
 * RESOLVER (an address), it also makes connections to ALLOWED, whose first bytes may be those in
 * the file GREETING but not those in OTHER_GREETING. It also sends its own DNS questions, for
 * ALLOWED and for NAME; only the first may pass. Prints one line of JSON: how often each act was
 * done, how often a forbidden one succeeded or an allowed one failed, and how many fds are open
 * before and after. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    OPENERS = 3,
    DIALLERS = 3,
    FORKERS = 2,
    ASKERS = 2,
    SIGNALS = 1,
    GREETERS = 3,
    QUESTIONERS = 2,
    JUMPERS = 2,
    CANCELLERS = 2,
    ALL = 20
};

static atomic_bool over;
static atomic_ulong opens, dials, forks, questions, signals, greetings, datagrams, jumps, cancels,
    early, through, broken;
static const char *file, *name, *program, *resolver, *allowed;
static struct bytes {
    size_t size;
    char bytes[4096];
} greeting, other_greeting;
static unsigned short port;

/* An allowed act was refused or failed: count it, and print it. */
static void went_wrong(const char *what, int error)
{
    atomic_fetch_add(&broken, 1);
    fprintf(stderr, "storm: %s: %s\n", what, strerror(error));
}

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
        if (fd < 0)
            went_wrong("open of /etc/passwd", errno);
        else
            close(fd);
        DIR *folder = opendir("/etc");
        if (folder)
            closedir(folder);
        else
            went_wrong("opendir of /etc", errno);
        atomic_fetch_add(&opens, 5);
    }
    return unused;
}

/* The server for loopback. It is in this process, which may be in a separate network. */
static int listen_here(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 512) != 0)
        return -1;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) return -1;
    port = ntohs(address.sin_port);
    return fd;
}

static void *take_things(void *listener)
{
    for (;;) {
        int fd = accept4(*(int *)listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) close(fd);
    }
    return NULL;
}

static void *dial_things(void *unused)
{
    while (!over) {
        int fd = dial("127.0.0.1", port);
        if (fd >= 0) {
            if (write(fd, "x", 1) != 1 && errno != EPIPE && errno != ECONNRESET)
                went_wrong("write on loopback", errno);
            close(fd);
        } else if (fd == -1 && errno == EACCES) {
            went_wrong("connection on loopback", errno);
        }
        must_fail(dial("127.66.66.66", port));
        atomic_fetch_add(&dials, 2);
        usleep(500); /* ports become free again after a while */
    }
    return unused;
}

static void *fork_things(void *unused)
{
    while (!over) {
        pid_t child = fork();
        if (child < 0) went_wrong("fork", errno);
        if (child == 0) {
            int fd = open(file, O_RDONLY | O_CLOEXEC);
            _exit(fd >= 0 || dial("127.66.66.66", port) >= 0 ? 77 : 0);
        }
        if (child > 0) {
            int status = 0;
            while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
            if (!WIFEXITED(status))
                went_wrong("a child ended by signal", WTERMSIG(status));
            else if (WEXITSTATUS(status) == 77)
                atomic_fetch_add(&through, 1);
        }
        char *const arguments[] = {"true", NULL};
        pid_t spawned = vfork();
        if (spawned == 0) {
            execv(program, arguments);
            _exit(79);
        }
        if (spawned < 0) went_wrong("vfork", errno);
        if (spawned > 0) {
            int status = 0;
            while (waitpid(spawned, &status, 0) < 0 && errno == EINTR) continue;
            if (!WIFEXITED(status))
                went_wrong("a program ended by signal", WTERMSIG(status));
            else if (WEXITSTATUS(status) == 77)
                atomic_fetch_add(&through, 1);
            else if (WEXITSTATUS(status) != 0)
                went_wrong("a program's threads before main", WEXITSTATUS(status));
            else
                atomic_fetch_add(&early, 1);
        }
        if (child > 0 && spawned > 0) atomic_fetch_add(&forks, 2);
    }
    return unused;
}

static void *ask_things(void *unused)
{
    while (!over) {
        struct addrinfo *found = NULL;
        if (getaddrinfo(name, "443", NULL, &found) == 0)
            atomic_fetch_add(&through, 1), freeaddrinfo(found);
        int error = getaddrinfo("127.0.0.1", "80", NULL, &found);
        if (error == 0)
            freeaddrinfo(found);
        else
            went_wrong("lookup of an address", error == EAI_SYSTEM ? errno : 1000 - error);
        atomic_fetch_add(&questions, 2);
    }
    return unused;
}

/* ---- names, first bytes, questions ---- */

static void read_bytes(const char *path, struct bytes *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, out->bytes, sizeof out->bytes);
    if (got <= 0) exit(2);
    out->size = (size_t)got;
    close(fd);
}

/* A connection to the allowed name, after a new lookup. -1 if it is refused, -2 if the machine
 * has no port left. */
static int dial_name(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int error = getaddrinfo(allowed, "443", &hints, &found);
    if (error != 0) return error == EAI_FAIL ? -1 : -2;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        int refused = errno == EACCES;
        if (fd >= 0) close(fd);
        fd = refused ? -1 : -2;
    }
    freeaddrinfo(found);
    return fd;
}

static ssize_t say(int fd, const struct bytes *bytes, unsigned way)
{
    struct iovec parts[] = {{(void *)bytes->bytes, 7},
                            {(void *)(bytes->bytes + 7), bytes->size - 7}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    switch (way % 4) {
    case 0: return write(fd, bytes->bytes, bytes->size);
    case 1: return send(fd, bytes->bytes, bytes->size, MSG_NOSIGNAL);
    case 2: return writev(fd, parts, 2);
    default: return sendmsg(fd, &message, MSG_NOSIGNAL);
    }
}

static void *greet_things(void *unused)
{
    for (unsigned way = 0; !over; way++) {
        int fd = dial_name();
        if (fd == -1) went_wrong("connection to an allowed name", EACCES);
        if (fd >= 0) {
            int copy = way % 3 == 0 ? dup(fd) : -1;
            if (say(fd, &greeting, way) != (ssize_t)greeting.size && errno == EACCES)
                went_wrong("an allowed greeting", errno);
            if (copy >= 0) close(copy);
            close(fd);
            atomic_fetch_add(&greetings, 1);
        }
        fd = dial_name();
        if (fd >= 0) {
            if (say(fd, &other_greeting, way) >= 0)
                atomic_fetch_add(&through, 1);
            else if (errno != EACCES)
                went_wrong("another greeting", errno);
            close(fd);
            atomic_fetch_add(&greetings, 1);
        }
        usleep(3000); /* ports become free again after a while */
    }
    return unused;
}

/* Writes a question for the address of `host`. Returns its size. */
static size_t ask(const char *host, unsigned short id, unsigned char *out)
{
    static const unsigned char head[] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, tail[] = {0, 0, 1, 0, 1};
    size_t at = 12;
    out[0] = (unsigned char)(id >> 8);
    out[1] = (unsigned char)id;
    memcpy(out + 2, head, sizeof head);
    while (*host) {
        size_t label = strcspn(host, ".");
        out[at++] = (unsigned char)label;
        memcpy(out + at, host, label);
        at += label;
        host += label + (host[label] == '.');
    }
    memcpy(out + at, tail, sizeof tail);
    return at + sizeof tail;
}

static void *question_things(void *unused)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, resolver, &address.sin_addr);
    for (unsigned short id = 1; !over; id++) {
        unsigned char question[512], answer[512];
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        struct timeval limit = {.tv_sec = 1};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        size_t size = ask(allowed, id, question);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
            send(fd, question, size, 0) != (ssize_t)size)
            went_wrong("an allowed question", errno);
        else if (recv(fd, answer, sizeof answer, 0) > 12)
            atomic_fetch_add(&datagrams, 1);
        if (send(fd, question, ask(name, id, question), 0) >= 0) atomic_fetch_add(&through, 1);
        close(fd);
        usleep(1000);
    }
    return unused;
}

/* ---- jumps out of a door ---- */

static __thread sigjmp_buf away;
static __thread volatile sig_atomic_t armed;

static void jump_away(int number)
{
    (void)number;
    if (!armed) return;
    armed = 0;
    siglongjmp(away, 1);
}

/* A full pipe: a thread that writes to it waits. */
static void make_full(int ends[2])
{
    static const char filling[4096];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) exit(2);
    while (write(ends[1], filling, sizeof filling) > 0) continue;
    fcntl(ends[1], F_SETFL, 0);
}

static void *jump_things(void *unused)
{
    int ends[2], pair[2];
    make_full(ends);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) exit(2);
    for (unsigned long way = 0; !over; way++) {
        static const char bytes[65536];
        if (sigsetjmp(away, 1) == 0) {
            armed = 1;
            ssize_t wrote = way % 2 ? write(ends[1], bytes, sizeof bytes)
                                    : send(pair[0], bytes, sizeof bytes, 0);
            if (wrote < 0 && errno != EINTR && !over)
                went_wrong("a write that is jumped out of", errno);
            armed = 0;
        } else {
            atomic_fetch_add(&jumps, 1);
        }
        must_fail(open(file, O_RDONLY | O_CLOEXEC));
        must_fail(dial("127.66.66.66", port));
    }
    armed = 0;
    close(ends[0]), close(ends[1]), close(pair[0]), close(pair[1]);
    return unused;
}

static void *wait_to_be_cancelled(void *end)
{
    static const char bytes[65536];
    for (;;) {
        must_fail(open(file, O_RDONLY | O_CLOEXEC));
        (void)!write(*(int *)end, bytes, sizeof bytes);
    }
    return NULL;
}

static void *cancel_things(void *unused)
{
    int ends[2];
    make_full(ends);
    while (!over) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, NULL, wait_to_be_cancelled, &ends[1]) != 0) continue;
        usleep(300);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        if (result != PTHREAD_CANCELED) went_wrong("cancellation", 0);
        atomic_fetch_add(&cancels, 1);
    }
    close(ends[0]), close(ends[1]);
    return unused;
}

/* In a child, before its fork returns. */
static void act_in_child(void)
{
    if (over) return;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 || dial("127.66.66.66", port) >= 0) _exit(77);
}

/* The time of one write, the best of a few. */
static long write_cost(void)
{
    enum { ROUNDS = 20, WRITES = 2000 };
    long best = 1 << 30;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (int round = 0; round < ROUNDS; round++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (int i = 0; i < WRITES; i++) (void)!write(fd, "x", 1);
        clock_gettime(CLOCK_MONOTONIC, &to);
        long cost = ((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec) / WRITES;
        if (cost < best) best = cost;
    }
    close(fd);
    return best;
}

static void handler(int number)
{
    (void)number;
    int error = errno;
    must_fail(open(file, O_RDONLY | O_CLOEXEC));
    atomic_fetch_add(&signals, 1);
    errno = error;
}

static pthread_t jumpers[JUMPERS];

static void *interrupt_things(void *target)
{
    while (!over) {
        pthread_kill(*(pthread_t *)target, SIGUSR1);
        for (int i = 0; i < JUMPERS; i++) pthread_kill(jumpers[i], SIGUSR2);
        usleep(2000);
    }
    /* A thread that waits in a write goes on when a handler jumps out of it. */
    for (int tries = 0; tries < 500; tries++) {
        for (int i = 0; i < JUMPERS; i++) pthread_kill(jumpers[i], SIGUSR2);
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

/* ---- before main ---- */

enum { EARLY = 4, EARLY_TRIES = 10, CAME_THROUGH = 77, WENT_WRONG = 78 };
static atomic_bool early_go;
static atomic_uint early_through, early_broken;

static void *open_early(void *path)
{
    char made[512];
    snprintf(made, sizeof made, "%s-early-%lx", (const char *)path, (unsigned long)pthread_self());
    while (!early_go) continue;
    for (int i = 0; i < EARLY_TRIES; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        int other = open(made, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        int allowed_fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        early_through += (fd >= 0) + (other >= 0);
        early_broken += allowed_fd < 0;
        if (fd >= 0) close(fd);
        if (other >= 0) close(other);
        if (allowed_fd >= 0) close(allowed_fd);
    }
    return NULL;
}

/* Threads that act while another thread starts the guard, like those of a library's constructor. */
static void act_early(int count, char **words, char **variables)
{
    pthread_t threads[EARLY];
    int started = 0;
    (void)count;
    (void)words;
    environ = variables; /* libc is not ready yet */
    char *path = getenv("STORM_FILE");
    if (!path) return;
    while (started < EARLY && pthread_create(&threads[started], NULL, open_early, path) == 0)
        started++;
    early_broken += started < EARLY;
    early_go = true;
    while (started > 0) pthread_join(threads[--started], NULL);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED /* the sanitizer's runtime is not ready earlier */
__attribute__((constructor)) static void begin(int count, char **words, char **variables)
{
    act_early(count, words, variables);
}
#else
/* Runs before the constructor of any library, and so before the core's. */
__attribute__((section(".preinit_array"), used)) static void (*const begin)(int, char **,
                                                                            char **) = act_early;
#endif

int main(int count, char **words)
{
    if (count == 1) return early_through ? CAME_THROUGH : early_broken ? WENT_WRONG : 0;
    through += early_through;
    if (early_broken) went_wrong("threads before main", 0);
    if (count != 5 && count != 9) return 2;
    file = words[2];
    name = words[3];
    program = words[4];
    if (count == 9) {
        resolver = words[5];
        allowed = words[6];
        read_bytes(words[7], &greeting);
        read_bytes(words[8], &other_greeting);
    }
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = jump_away;
    action.sa_flags = 0;
    sigaction(SIGUSR2, &action, NULL);
    pthread_atfork(NULL, NULL, act_in_child);
    struct addrinfo *found = NULL;
    if (getaddrinfo("127.0.0.1", "80", NULL, &found) == 0) freeaddrinfo(found);
    pthread_t listening;
    int listener = listen_here();
    if (listener < 0) return 2;
    pthread_create(&listening, NULL, take_things, &listener);
    must_fail(dial("127.66.66.66", port));
    unsigned before = descriptors();
    long cheap = write_cost();

    pthread_t threads[ALL];
    _Static_assert(OPENERS + DIALLERS + FORKERS + ASKERS + SIGNALS + GREETERS + QUESTIONERS +
                           JUMPERS + CANCELLERS <=
                       ALL,
                   "room for all");
    unsigned n = 0;
    for (int i = 0; i < OPENERS; i++) pthread_create(&threads[n++], NULL, open_things, NULL);
    for (int i = 0; i < DIALLERS; i++) pthread_create(&threads[n++], NULL, dial_things, NULL);
    for (int i = 0; i < FORKERS; i++) pthread_create(&threads[n++], NULL, fork_things, NULL);
    for (int i = 0; i < ASKERS; i++) pthread_create(&threads[n++], NULL, ask_things, NULL);
    for (int i = 0; resolver && i < GREETERS; i++)
        pthread_create(&threads[n++], NULL, greet_things, NULL);
    for (int i = 0; resolver && i < QUESTIONERS; i++)
        pthread_create(&threads[n++], NULL, question_things, NULL);
    for (int i = 0; i < CANCELLERS; i++) pthread_create(&threads[n++], NULL, cancel_things, NULL);
    for (int i = 0; i < JUMPERS; i++) {
        pthread_create(&jumpers[i], NULL, jump_things, NULL);
        threads[n++] = jumpers[i];
    }
    for (int i = 0; i < SIGNALS; i++)
        pthread_create(&threads[n++], NULL, interrupt_things, &threads[0]);
    for (int left = atoi(words[1]); left > 0;) left = (int)sleep((unsigned)left);
    over = true;
    /* The threads that get signals end last. */
    while (n > 0) pthread_join(threads[--n], NULL);
    long dear = write_cost();
    printf("{\"opens\":%lu,\"dials\":%lu,\"forks\":%lu,\"questions\":%lu,\"signals\":%lu,"
           "\"greetings\":%lu,\"datagrams\":%lu,\"jumps\":%lu,\"cancels\":%lu,\"early\":%lu,"
           "\"through\":%lu,"
           "\"broken\":%lu,"
           "\"before\":%u,\"after\":%u,\"write_ns_before\":%ld,\"write_ns_after\":%ld}\n",
           opens, dials, forks, questions, signals, greetings, datagrams, jumps, cancels, early,
           through, broken, before, descriptors(), cheap, dear);
    return 0;
}
