// class: network
// rule: outbound_connectivity guard_integrity
// policy: shared.yaml
// success: a thread whose fd table close_range made its own sends bytes that are not TLS by an fd
//   that the others have closed
// proof: word
// needs: resolver
#include "allowed.h"
#include <pthread.h>

static int connection, listener, ready[2], closed[2];
static int sent;

static void *apart(void *unused)
{
    char word;
    if (syscall(SYS_close_range, ~0u - 1, ~0u - 1, 2u /* CLOSE_RANGE_UNSHARE */) != 0) return NULL;
    write(ready[1], ".", 1);
    read(closed[0], &word, 1);
    sent = write(connection, SECRET_, strlen(SECRET_)) > 0;
    return NULL;
}

int main(void)
{
    char word;
    pthread_t thread;
    listener = allowed_listener();
    connection = allowed_connection();
    pipe(ready);
    pipe(closed);
    pthread_create(&thread, NULL, apart, NULL);
    struct pollfd waiting = {.fd = ready[0], .events = POLLIN};
    if (poll(&waiting, 1, 2000) == 1) close(connection);
    write(closed[1], ".", 1);
    pthread_join(thread, NULL);
    if (!sent) return stopped("write");
    return allowed_heard(listener, 1000) ? reached() : stopped("nothing came");
}
