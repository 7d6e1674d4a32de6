/* What the attacks in C share: the places to attack, and how an attack reports its result. */
#ifndef ATTACK_H
#define ATTACK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static inline const char *env(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

#define FILE_   env("ATTACK_FILE")
#define DIR_    env("ATTACK_DIR")
#define NEW_    env("ATTACK_NEW")
#define MARK_   env("ATTACK_MARK")
#define SECRET_ env("ATTACK_SECRET")

/* How long to try a race: `seconds`, or longer in a run that must succeed, because the machine
 * may be busy. */
static inline int patience(int seconds)
{
    int given = atoi(env("ATTACK_SECONDS"));
    return given > seconds ? given : seconds;
}

static inline int reached(void)
{
    printf("REACHED\n");
    fflush(stdout);
    return 0;
}

static inline int stopped(const char *what)
{
    printf("STOPPED: %s: %s\n", what, strerror(errno));
    fflush(stdout);
    return 1;
}

/* End an attack that reads. The secret must be in the text. */
static inline int got(const char *text)
{
    const char *at = text ? strstr(text, SECRET_) : NULL;
    if (!at) return stopped("the secret was not read");
    printf("GOT %.80s\n", at);
    return reached();
}

static inline int got_from(int fd)
{
    char text[4096];
    ssize_t size = read(fd, text, sizeof text - 1);
    if (size < 0) return stopped("read");
    text[size] = 0;
    return got(text);
}

static inline struct sockaddr_in endpoint(const char *variable)
{
    char text[128];
    struct sockaddr_in address = {.sin_family = AF_INET};
    snprintf(text, sizeof text, "%s", env(variable));
    char *colon = strrchr(text, ':');
    if (!colon) exit(stopped(variable));
    *colon = 0;
    inet_pton(AF_INET, text, &address.sin_addr);
    address.sin_port = htons((unsigned short)atoi(colon + 1));
    return address;
}

#endif
