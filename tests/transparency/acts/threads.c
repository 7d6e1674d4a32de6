/* Threads, the smallest stack, and signal handlers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "acts.h"

static void *work(void *argument)
{
    long mistakes = 0;
    for (int i = 0; i < 60; i++) {
        errno = 77;
        int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || errno != 77) mistakes++;
        close(fd);
        if (open("/nonexistent/x", O_RDONLY) != -1 || errno != ENOENT) mistakes++;
        char name[64];
        snprintf(name, sizeof name, "%s/t%ld-%d", folder, (long)(intptr_t)argument, i);
        fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0 || unlink(name) != 0) mistakes++;
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
            close(fd) != 0)
            mistakes++;
    }
    return (void *)mistakes;
}

void threads(void)
{
    pthread_t all[48];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024); /* as small as careful programs make them */
    long mistakes = 0;
    for (long i = 0; i < 48; i++)
        if (pthread_create(&all[i], &attributes, work, (void *)i) != 0) mistakes++;
    for (int i = 0; i < 48; i++) {
        void *result;
        pthread_join(all[i], &result);
        mistakes += (long)result;
    }
    printf("mistakes: %ld\n", mistakes);
}

static void *small_work(void *argument)
{
    (void)argument;
    char link[16];
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    close(fd);
    unlink("/tmp/function-shield-no-such-file");
    readlink("/proc/self/exe", link, sizeof link);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    char path[64], *argv[] = {"true", NULL};
    snprintf(path, sizeof path, "%s/small", folder);
    mkdir(path, 0700);
    rmdir(path);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    fd = open(path, O_RDONLY);
    close(fd);
    unlink(path);
    pid_t pid;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0) waitpid(pid, NULL, 0);
    return NULL;
}

static void small_handler(int number)
{
    (void)number;
    small_work(NULL);
}

void smallest_stack(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    printf("size: %d\n", pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN));
    printf("create: %d\n", pthread_create(&thread, &attributes, small_work, NULL));
    printf("join: %d\n", pthread_join(thread, NULL));
    static char stack[16384];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = small_handler, .sa_flags = SA_ONSTACK};
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    SHOW(raise(SIGUSR1));
}

static atomic_int handled, handler_mistakes;

static void on_signal(int number)
{
    int error = errno;
    errno = 55;
    int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && errno != 55) handler_mistakes++;
    if (fd >= 0) close(fd);
    if (open("/tmp/function-shield-no-such-file", O_RDONLY) != -1 || errno != ENOENT)
        handler_mistakes++;
    if (handled % 16 == 0) {
        pid_t pid = fork();
        if (pid == 0) _exit(0);
        if (waitpid(pid, NULL, 0) != pid) handler_mistakes++;
    }
    handled++;
    (void)number;
    errno = error;
}

void signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval every = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_REAL, &every, NULL);
    long mistakes = 0;
    for (int i = 0; handled < 100 && i < 2000000; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/s%d", folder, i);
        errno = 66;
        int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0 || errno != 66 || close(fd) != 0 || unlink(name) != 0) mistakes++;
        void *memory = malloc(1000);
        free(memory);
    }
    memset(&every, 0, sizeof every);
    setitimer(ITIMER_REAL, &every, NULL);
    printf("mistakes: %ld %d, handled %s\n", mistakes, handler_mistakes,
           handled >= 100 ? "enough" : "too few");
}
