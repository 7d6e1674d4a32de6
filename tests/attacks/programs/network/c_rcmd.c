// class: network
// rule: outbound_connectivity
// success: a C program connects by libc's rcmd
// proof: sink
// needs: root
#include "attack.h"
#include <netdb.h>

extern int rcmd_af(char **, unsigned short, const char *, const char *, const char *, int *,
                   sa_family_t);

int main(void)
{
    struct sockaddr_in sink = endpoint("ATTACK_SINK");
    char host[] = "127.66.66.66", *name = host;
    alarm(2);
    int fd = rcmd_af(&name, sink.sin_port, "me", "you", "true", NULL, AF_INET);
    if (fd < 0 && (errno == EACCES || errno == EPERM)) return stopped("rcmd_af");
    /* The sink says nothing that rcmd understands: that it was reached is all. */
    return reached();
}
