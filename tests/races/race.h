/* What a race needs: memory that another thread rewrites, from a harmless value to a hostile one
 * and back, while a door is at work with it. The program that includes this is written by races.py
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
#include <netinet/in.h>
#include <nl_types.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* As written and as read by another thread: nothing tells the compiler of it.
 */
struct raced {
    _Alignas(64) char now[4096], harmless[4096], hostile[4096];
    size_t size;
};

static struct raced raced;
#define RACED   ((void *)raced.now)
#define HOSTILE raced.hostile

static const char *made,
    *source; /* a name outside /tmp for what is moved out of it, and a file there */
static const char *place; /* the hostile one, where something else than the path changes */
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

/* libc's inner openers fill a stream that is closed. */
static FILE *a_closed_stream(void)
{
    FILE *stream = a_stream();
    void (*file_close)(FILE *) = (void (*)(FILE *))dlsym(RTLD_DEFAULT, "_IO_file_close_it");
    if (!stream || !file_close) exit(77);
    file_close(stream);
    return stream;
}

static int spawned;

/* Counts by what the program left behind, and not by its start. */
static int waits(int error)
{
    if (error == 0) wait(NULL);
    return 0;
}

/* File actions as libc lays them out, with a path that is the caller's own memory. */
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

/* "inet:ADDRESS:PORT", "unix:PATH", or a string. Its size. */
static size_t value(char *to, const char *text)
{
    char host[64] = "";
    int port;
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

/* How often `act` said that it got through. With no time the hostile value is there from the
 * beginning: nobody races. */
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
