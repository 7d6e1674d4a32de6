// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a thread moves a connection from fd to fd while another closes copies of it, so that a
//   list of the fds never shows it: bytes that are not TLS go by it
// proof: word
// needs: resolver
// timeout: 40
#include "allowed.h"
#include <pthread.h>
#include <time.h>

enum { LOW = 10, HIGH = 800 };
static volatile int at = LOW, over;
static int nowhere;

static void *move(void *unused)
{
    while (!over) {
        int here = at, there = LOW + HIGH - here;
        if (dup2(here, there) < 0) continue;
        at = there;
        dup2(nowhere, here);
        close(here);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    int listener = allowed_listener(), first = allowed_connection();
    time_t end = time(NULL) + 3;
    nowhere = open("/dev/null", O_RDWR);
    dup2(first, LOW);
    dup2(nowhere, first);
    for (int fd = LOW + 1; fd < HIGH; fd++) dup2(nowhere, fd);
    pthread_create(&thread, NULL, move, NULL);
    while (time(NULL) < end) {
        int copy = fcntl(at, F_DUPFD, HIGH + 10);
        if (copy >= 0) close(copy);
    }
    over = 1;
    pthread_join(thread, NULL);
    if (write(at, SECRET_, strlen(SECRET_)) < 0) return stopped("write");
    return allowed_heard(listener, 1000) ? reached() : stopped("nothing came");
}
