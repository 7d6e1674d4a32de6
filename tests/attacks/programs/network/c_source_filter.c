// class: network
// rule: outbound_connectivity
// policy: group.yaml
// success: an allowed group is joined, and sources of it filtered whose addresses carry data: the
//   kernel sends those addresses to the network
// proof: word
#include "attack.h"

int main(void)
{
    int out = socket(AF_INET, SOCK_DGRAM, 0);
    struct ip_mreq group = {{inet_addr("239.1.2.3")}, {inet_addr("127.0.0.1")}};
    struct in_addr sources[2];
    memcpy(sources, SECRET_, sizeof sources);
    if (setsockopt(out, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group))
        return stopped("join");
    if (setipv4sourcefilter(out, group.imr_interface, group.imr_multiaddr, MCAST_EXCLUDE, 2,
                            sources) &&
        errno == EACCES)
        return stopped("setipv4sourcefilter");
    struct sockaddr_storage other[2];
    struct sockaddr_in at = {AF_INET, 0, group.imr_multiaddr};
    memset(other, 0, sizeof other);
    for (int i = 0; i < 2; i++)
        *(struct sockaddr_in *)&other[i] = (struct sockaddr_in){AF_INET, 0, sources[i]};
    if (setsourcefilter(out, 1, (struct sockaddr *)&at, sizeof at, MCAST_EXCLUDE, 2, other))
        return stopped("setsourcefilter");
    return reached();
}
