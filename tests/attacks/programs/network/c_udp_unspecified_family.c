// class: network
// rule: outbound_connectivity
// success: a C program sends a datagram to an address whose family says "unspecified", which Linux
//   takes for IPv4
// proof: udp
#include "attack.h"

int main(void)
{
    struct sockaddr_in sink = endpoint("ATTACK_SINK_UDP");
    sink.sin_family = AF_UNSPEC;
    if (sendto(socket(AF_INET, SOCK_DGRAM, 0), "taken", 5, 0, (struct sockaddr *)&sink,
               sizeof sink) != 5)
        return stopped("sendto");
    return reached();
}
