/* What a race needs: memory that another thread keeps rewriting, between a harmless and a
 * hostile value, while a door works on it. races.py writes the program that includes this file,
 * from doors.table. */
#ifndef RACE_H
#define RACE_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <locale.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nl_types.h>
#include <pthread.h>
#include <resolv.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <utmpx.h>
#include <wordexp.h>

/* As written and as read by another thread: nothing tells the compiler of it.
 */
struct raced {
    _Alignas(64) char before[512], now[4096], harmless[4096], hostile[4096];
    size_t size;
};

static struct raced raced;
#define RACED      ((void *)raced.now)
#define HOSTILE    raced.hostile
/* Without a string's NUL. No packet ends with a 0 byte. */
#define RACED_SIZE (raced.size - (HOSTILE[raced.size - 1] == '\0'))

static const char *made,
    *source; /* a name outside /tmp for what is moved out of it, and a file there */
static const char *place; /* the hostile place, if the raced argument is not the path */
static struct timeval times[2];
static char buffer[4096];
static volatile int over;

static void *rewrite(void *unused)
{
    unsigned turn = 0;
    while (!over) {
        memcpy(raced.now, raced.harmless, raced.size);
        for (volatile unsigned i = turn++ % 64; i > 0; i--) continue;
        memcpy(raced.now, raced.hostile, raced.size);
        for (volatile unsigned i = turn % 64; i > 0; i--) continue;
    }
    return unused;
}

static int closes(int fd) { return fd >= 0 && close(fd) == 0; }
static int closes_stream(FILE *stream) { return stream && fclose(stream) == 0; }
static int closes_folder(DIR *folder) { return folder && closedir(folder) == 0; }
static FILE *a_stream(void) { return fopen("/dev/null", "r"); }

/* libc's internal open functions need a closed stream. */
static FILE *a_closed_stream(void)
{
    FILE *stream = a_stream();
    void (*file_close)(FILE *) = (void (*)(FILE *))dlsym(RTLD_DEFAULT, "_IO_file_close_it");
    if (!stream || !file_close) exit(77);
    file_close(stream);
    return stream;
}

static int spawned;

/* What the program left behind shows that it ran, not the result of its start. */
static int waits(int error)
{
    if (error == 0) wait(NULL);
    return 0;
}

/* File actions in libc's own layout, with a path in the caller's memory. */
static void *opening(char *path)
{
    static struct {
        int kind;
        struct {
            int fd;
            char *path;
            int flags;
            mode_t mode;
        } open;
    } action;
    static posix_spawn_file_actions_t actions;
    action.kind = 2, action.open.fd = 30, action.open.path = path,
    action.open.flags = O_WRONLY | O_CREAT, action.open.mode = 0600;
    actions.__allocated = actions.__used = 1;
    actions.__actions = (void *)&action;
    return &actions;
}

static int stops(void) { return 7; }

static int walks(void *tree)
{
    int found = 0;
    for (FTSENT *entry; tree && (entry = fts_read(tree));) found += entry->fts_info != FTS_NS;
    if (tree) fts_close(tree);
    return found;
}

static int a_watch(void)
{
    static int fd = -1;
    if (fd < 0) fd = (int)syscall(SYS_inotify_init1, 0);
    return fd;
}

static int a_marker(void)
{
    static int fd = -1;
    if (fd < 0) fd = (int)syscall(SYS_fanotify_init, 0, O_RDONLY);
    return fd;
}

static void *find(const char *symbol)
{
    void *found = dlsym(RTLD_DEFAULT, symbol);
    if (!found) exit(77); /* not in this libc */
    return found;
}

static int a_socket(int family, int type)
{
    static int fd = -1;
    if (fd >= 0) close(fd);
    return fd = socket(family, type | SOCK_NONBLOCK, 0);
}

static struct msghdr *message_to(void *name)
{
    static struct iovec vector = {"x", 1};
    static struct msghdr message;
    message = (struct msghdr){.msg_name = name,
                              .msg_namelen = sizeof(struct sockaddr_in),
                              .msg_iov = &vector,
                              .msg_iovlen = 1};
    return &message;
}

/* ---- names: what is looked up, and what is asked ---- */

static struct hostent a_host, *found_host;
static struct netent a_net, *found_net;
static int host_error;
static char host_memory[8192];

/* A question to a name server, for the address of a name. */
static size_t question(char *to, const char *name)
{
    static const char asks[12] = {0, 0, 1, 0, 0, 1};
    char *at = to + sizeof asks;
    memcpy(to, asks, sizeof asks);
    for (size_t size; *name; name += size + (name[size] == '.')) {
        size = strcspn(name, ".");
        *at++ = (char)size;
        memcpy(at, name, size);
        at += size;
    }
    memcpy(at, "\0\0\1\0\1", 5);
    return (size_t)(at + 5 - to);
}

/* Where libc must put the answer so that the address in it is the raced memory. Before the
 * address come the header, the question, and twelve bytes of the record. */
#define ANSWERED   "aaaaaa.wide.example"
#define THE_ANSWER ((unsigned char *)RACED - (12 + sizeof ANSWERED + 1 + 4 + 12))

static int a_question_socket(void)
{
    static int fd = -1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, "127.66.66.53", &address.sin_addr);
    if (fd < 0 && connect(fd = socket(AF_INET, SOCK_DGRAM, 0), (void *)&address, sizeof address))
        exit(4);
    return fd;
}

static struct gaicb **a_list(char *name)
{
    static struct gaicb one, *list[1] = {&one};
    one.ar_name = name;
    return list;
}

static struct addrinfo *found_addresses;
static int frees(int error)
{
    if (error == 0) freeaddrinfo(found_addresses);
    return 0;
}

static void *a_resolver(void)
{
    static int begun;
    if (!begun) begun = 1, res_init();
    return &_res;
}

/* Whether the outside can be reached. */
static int reaches(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(443)};
    inet_pton(AF_INET, "127.66.66.66", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int failed = connect(fd, (void *)&address, sizeof address) != 0 && errno == EACCES;
    close(fd);
    return !failed;
}

/* ---- streams ---- */

/* A connection to the proxy of HTTPS_PROXY, which runs on this machine. */
static int a_connection(void)
{
    static int fd = -1;
    if (fd >= 0) close(fd);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(atoi(getenv("RACE_PORT"))),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    fd = socket(AF_INET, SOCK_STREAM, 0);
    return connect(fd, (void *)&address, sizeof address) == 0 ? fd : -1;
}

static struct iovec *a_vector(void *bytes, size_t size)
{
    static struct iovec vector;
    vector = (struct iovec){bytes, size};
    return &vector;
}

static struct msghdr *a_message(void *bytes, size_t size)
{
    static struct msghdr message;
    message = (struct msghdr){.msg_iov = a_vector(bytes, size), .msg_iovlen = 1};
    return &message;
}

/* ---- groups ---- */

static int a_member(void)
{
    static int fd = -1;
    if (fd < 0) fd = socket(AF_INET, SOCK_DGRAM, 0);
    return fd;
}

/* Whether the hostile group was joined. Leaves it. */
static int left(int option)
{
    return setsockopt(a_member(), IPPROTO_IP, option, HOSTILE, raced.size) == 0;
}

/* ---- limits ---- */

/* Whether the hostile limit was set. Removes it. */
static int lowered(void)
{
    struct rlimit now, all = {RLIM_INFINITY, RLIM_INFINITY};
    int low = getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_cur < 8000000;
    setrlimit(RLIMIT_AS, &all);
    return low;
}

/* ---- fds that are received ---- */

/* The runner keeps sending a connection to the outside on this socket. The received fd will be
 * the lowest free one. */
static int expected;
static int a_courier(void)
{
    expected = dup(0);
    close(expected);
    return atoi(getenv("RACE_COURIER"));
}

static struct mmsghdr received;
static struct mmsghdr *receiving(void)
{
    static char byte;
    received.msg_hdr = *a_message(&byte, 1);
    received.msg_hdr.msg_control = raced.now;
    received.msg_hdr.msg_controllen = 24;
    return &received;
}

static int keeps(void)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    int kept = getpeername(expected, (void *)&peer, &size) == 0;
    close(expected);
    return kept;
}

/* ---- libraries ---- */

#ifdef __x86_64__
#define FIRST_GLIBC "GLIBC_2.2.5"
#else
#define FIRST_GLIBC "GLIBC_2.17"
#endif

static int is_libcs(void *function)
{
    Dl_info object;
    return function && dladdr(function, &object) && strstr(object.dli_fname, "libc.so") != NULL;
}

static void *libc(void)
{
    static void *handle;
    if (!handle) handle = dlopen("libc.so.6", RTLD_LAZY);
    return handle;
}

/* ---- words ---- */

static wordexp_t words;
static int lists(int error)
{
    int found = error == 0 && words.we_wordc == 1 && strstr(words.we_wordv[0], "/place");
    if (error == 0) wordfree(&words);
    return found;
}

/* Parses "inet:ADDRESS:PORT", "unix:PATH", "group:ADDRESS", "request:ADDRESS", "question:NAME",
 * "address:ADDRESS", "limit:BYTES", "rights:FD", or a plain string. Returns the size. */
static size_t value(char *to, const char *text)
{
    char host[64] = "", name[64] = "";
    int port;
    if (sscanf(text, "group:%63s", host) == 1) {
        struct ip_mreq *group = (void *)to;
        inet_pton(AF_INET, host, &group->imr_multiaddr);
        group->imr_interface.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof *group;
    }
    if (sscanf(text, "request:%63s", host) == 1) {
        struct group_req *group = (void *)to;
        struct sockaddr_in *address = (void *)&group->gr_group;
        group->gr_interface = 1;
        address->sin_family = AF_INET;
        inet_pton(AF_INET, host, &address->sin_addr);
        return sizeof *group;
    }
    if (sscanf(text, "address:%63s", host) == 1) return inet_pton(AF_INET, host, to) ? 4 : 0;
    if (sscanf(text, "question:%63s", name) == 1) return question(to, name);
    unsigned long most;
    if (sscanf(text, "limit:%lu", &most) == 1) {
        *(struct rlimit *)to = (struct rlimit){most, RLIM_INFINITY};
        return sizeof(struct rlimit);
    }
    if (sscanf(text, "rights:%d", &port) == 1) {
        struct cmsghdr *header = (void *)to;
        *header = (struct cmsghdr){CMSG_LEN(sizeof port), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &port, sizeof port);
        return 24;
    }
    if (sscanf(text, "inet:%63[0-9.]:%d", host, &port) == 2) {
        struct sockaddr_in *address = (void *)to;
        address->sin_family = AF_INET;
        address->sin_port = htons(port);
        inet_pton(AF_INET, host, &address->sin_addr);
        return sizeof *address;
    }
    if (strncmp(text, "unix:", 5) == 0) {
        struct sockaddr_un *address = (void *)to;
        address->sun_family = AF_UNIX;
        snprintf(address->sun_path, sizeof address->sun_path, "%s", text + 5);
        return sizeof *address;
    }
    snprintf(to, 4096, "%s", text);
    return strlen(text) + 1;
}

static int set_up(char **arguments)
{
    /* HARMLESS HOSTILE MADE SOURCE PLACE MILLISECONDS */
    value(raced.harmless, arguments[0]);
    raced.size = value(raced.hostile, arguments[1]);
    memcpy(raced.now, raced.harmless, raced.size);
    made = arguments[2];
    source = arguments[3];
    place = arguments[4];
    return atoi(arguments[5]);
}

/* How often `act` got through. If `milliseconds` is 0, the hostile value is there from the
 * beginning, and no thread races. */
static int race(int (*act)(void), int milliseconds)
{
    pthread_t thread;
    struct timespec start, now;
    int through = 0;
    if (milliseconds == 0) {
        memcpy(raced.now, raced.hostile, raced.size);
        return act();
    }
    if (pthread_create(&thread, NULL, rewrite, NULL) != 0) exit(3);
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < 16; i++) through += act();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (!through &&
             (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
                 milliseconds);
    over = 1;
    pthread_join(thread, NULL);
    return through;
}

#endif
