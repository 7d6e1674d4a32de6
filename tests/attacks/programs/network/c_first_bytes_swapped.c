// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a thread swaps the socket under a number while connect is at work with it: another is connected than was looked
//   at, and what is no TLS goes by that one
// proof: word
// needs: resolver
// timeout: 40
#include "allowed.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { NUMBER = 700, FIRST = 701, SECOND = 702 };
static volatile int over, swapping;

static void *swap(void *unused)
{
    while (!over) {
        if (!swapping) continue;
        dup2(FIRST, NUMBER);
        dup2(SECOND, NUMBER);
    }
    return NULL;
}

static void fresh(int number)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    dup2(fd, number);
    close(fd);
}

int main(void)
{
    pthread_t thread;
    int listener = allowed_listener(), heard = 0;
    time_t end = time(NULL) + 4;
    signal(SIGPIPE, SIG_IGN);
    pthread_create(&thread, NULL, swap, NULL);
    while (time(NULL) < end && !heard) {
        /* No connection is left open that would keep the numbers. */
        close(FIRST);
        close(SECOND);
        fresh(FIRST);
        fresh(SECOND);
        dup2(FIRST, NUMBER);
        swapping = 1;
        int connected = connect(NUMBER, (const struct sockaddr *)&allowed_place, sizeof allowed_place) == 0;
        swapping = 0;
        write(FIRST, SECRET_, strlen(SECRET_));
        write(SECOND, SECRET_, strlen(SECRET_));
        if (connected) heard = allowed_heard(listener, 200);
    }
    over = 1;
    pthread_join(thread, NULL);
    errno = EACCES;
    return heard ? reached() : stopped("nothing came");
}
