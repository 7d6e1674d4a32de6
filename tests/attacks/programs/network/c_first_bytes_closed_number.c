// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: threads write what is no TLS to a number, which is closed and given to a connection when they were let through
// proof: word
// needs: resolver
// timeout: 40
#include "allowed.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

enum { WRITERS = 3, NUMBER = 700 };
static volatile int over;

static void *say(void *unused)
{
    while (!over) write(NUMBER, SECRET_, strlen(SECRET_));
    return NULL;
}

int main(void)
{
    pthread_t threads[WRITERS];
    int listener = allowed_listener(), nowhere = open("/dev/null", O_RDWR), heard = 0;
    time_t end = time(NULL) + 10; /* a busy machine wins races late */
    signal(SIGPIPE, SIG_IGN);
    dup2(nowhere, NUMBER);
    for (int i = 0; i < WRITERS; i++) pthread_create(&threads[i], NULL, say, NULL);
    while (time(NULL) < end && !heard) {
        int connection = allowed_connection();
        close(NUMBER);
        dup2(connection, NUMBER);
        dup2(nowhere, NUMBER);
        close(connection);
        heard = allowed_heard(listener, 1000);
    }
    over = 1;
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    errno = EACCES;
    return heard ? reached() : stopped("nothing came");
}
