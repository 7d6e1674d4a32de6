// class: network
// rule: outbound_connectivity
// policy: names.yaml
// success: a C program asks a server of the attacker for an allowed name, and may believe its
//   answer
// proof: udp
// needs: resolver
// alerts: true
// quiet: the system's server is asked instead of the attacker's, and the lookup works
#include "attack.h"
#include <netdb.h>
#include <resolv.h>

int main(void)
{
    struct addrinfo *found;
    res_init();
    _res.nscount = 1;
    _res.nsaddr_list[0] = endpoint("ATTACK_SINK_UDP");
    _res.retrans = 1;
    _res.retry = 1;
    /* Nobody answers there: to have asked is success. */
    int error = getaddrinfo("api.allowed.example", "443", NULL, &found);
    return error == EAI_AGAIN ? reached() : stopped("the lookup was answered");
}
