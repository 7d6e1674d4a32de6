/* Cancels threads that wait in a door, or are about to. Each runs its handler and ends. The
 * unwinder passes the guard's frames. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum how { RECEIVES, RECEIVES_ANY_TIME, WRITES, HOWS };

static int ends[2], cleaned;

static void clean(void *unused)
{
    (void)unused;
    cleaned++;
}

static void *works(void *argument)
{
    static char bytes[65536];
    long how = (long)argument;
    pthread_cleanup_push(clean, NULL);
    if (how == RECEIVES_ANY_TIME) pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    while (how == WRITES ? write(ends[1], bytes, sizeof bytes) >= 0
                         : recv(ends[0], bytes, 1, 0) >= 0)
        continue;
    pthread_cleanup_pop(0);
    return NULL;
}

int main(int count, char **arguments)
{
    int times = count > 1 ? atoi(arguments[1]) : 1;
    for (long i = 0; i < times; i++) {
        pthread_t thread;
        void *result;
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
            pthread_create(&thread, NULL, works, (void *)(i % HOWS)) != 0)
            return 1;
        usleep((useconds_t)(i % 7 * 50));
        pthread_cancel(thread);
        pthread_join(thread, &result);
        if (result != PTHREAD_CANCELED) return 2;
        close(ends[0]);
        close(ends[1]);
    }
    printf("cleaned %d\n", cleaned);
    return 0;
}
