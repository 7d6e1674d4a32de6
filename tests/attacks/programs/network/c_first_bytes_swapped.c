// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a thread swaps the socket under an fd during connect: another socket is connected than
//   was judged, and bytes that are not TLS go by it
// proof: word
// needs: resolver
// timeout: 40
#include "allowed.h"
#include <pthread.h>
#include <signal.h>

enum { PLACE = 700, FIRST = 701, SECOND = 702 };
static volatile int over, swapping;

static void *swap(void *unused)
{
    while (!over) {
        if (!swapping) continue;
        dup2(FIRST, PLACE);
        dup2(SECOND, PLACE);
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
    time_t end = time(NULL) + patience(4);
    signal(SIGPIPE, SIG_IGN);
    pthread_create(&thread, NULL, swap, NULL);
    while (time(NULL) < end && !heard) {
        /* No connection is left open that would keep the fds. */
        close(FIRST);
        close(SECOND);
        fresh(FIRST);
        fresh(SECOND);
        dup2(FIRST, PLACE);
        swapping = 1;
        int connected =
            connect(PLACE, (const struct sockaddr *)&allowed_place, sizeof allowed_place) == 0;
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
