// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: threads send bytes that are not TLS on a socket, which is connected to an allowed name
//   after they were allowed
// proof: word
// needs: resolver
// timeout: 40
#include "allowed.h"
#include <pthread.h>
#include <signal.h>

enum { WRITERS = 3, PLACE = 700 };
static volatile int over;

static void *say(void *unused)
{
    while (!over) write(PLACE, SECRET_, strlen(SECRET_));
    return NULL;
}

int main(void)
{
    pthread_t threads[WRITERS];
    int listener = allowed_listener(), nowhere = open("/dev/null", O_RDWR), heard = 0;
    time_t end = time(NULL) + patience(4);
    signal(SIGPIPE, SIG_IGN);
    dup2(nowhere, PLACE);
    for (int i = 0; i < WRITERS; i++) pthread_create(&threads[i], NULL, say, NULL);
    while (time(NULL) < end && !heard) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        dup2(fd, PLACE);
        close(fd);
        connect(PLACE, (const struct sockaddr *)&allowed_place, sizeof allowed_place);
        dup2(nowhere, PLACE);
        heard = allowed_heard(listener, 1000);
    }
    over = 1;
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    errno = EACCES;
    return heard ? reached() : stopped("nothing came");
}
