// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a datagram with an address of length 0 goes to an allowed name's address on the TLS port
// proof: word
// needs: gcc resolver
#include <netdb.h>

#include "attack.h"

int main(void)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct addrinfo hints = {.ai_family = AF_INET}, *list;
    char heard[100] = "";
    inet_pton(AF_INET, "127.66.66.67", &place.sin_addr);
    int sink = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(sink, (void *)&place, sizeof place) != 0) return stopped("bind");
    if (getaddrinfo("api.allowed.example", "443", &hints, &list) != 0)
        return stopped("getaddrinfo");
    if (connect(out, (void *)&place, sizeof place) != 0) return stopped("connect");
    struct iovec part = {(void *)SECRET_, strlen(SECRET_)};
    struct msghdr message = {.msg_name = &place, .msg_iov = &part, .msg_iovlen = 1};
    if (sendmsg(out, &message, 0) < 0) return stopped("sendmsg");
    recv(sink, heard, sizeof heard - 1, MSG_DONTWAIT);
    return got(heard);
}
