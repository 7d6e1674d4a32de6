// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: threads write bytes that are not TLS to an fd, which is closed and given to a connection
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
    time_t end = time(NULL) + patience(10);
    signal(SIGPIPE, SIG_IGN);
    dup2(nowhere, PLACE);
    for (int i = 0; i < WRITERS; i++) pthread_create(&threads[i], NULL, say, NULL);
    while (time(NULL) < end && !heard) {
        int connection = allowed_connection();
        close(PLACE);
        dup2(connection, PLACE);
        usleep(500); // a writer that inspects it now sees the connection
        dup2(nowhere, PLACE);
        close(connection);
        heard = allowed_heard(listener, 50); /* many tries: few of them win */
    }
    over = 1;
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    errno = EACCES;
    return heard ? reached() : stopped("nothing came");
}
