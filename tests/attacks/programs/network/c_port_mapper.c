// class: network
// rule: outbound_connectivity
// policy: loopback.yaml
// success: a C program sends numbers of its choice to a port of loopback, as if it registered an
//   old RPC service
// proof: word
// needs: namespace, glibc>=2.17
#include "attack.h"
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>

static int (*set)(unsigned long, unsigned long, int, unsigned short);

static void *say(void *unused)
{
    set(0x64617461, 2, 6, 9);
    return NULL;
}

int main(void)
{
    char heard[512];
    struct sockaddr_in mapper = {AF_INET, htons(111), {htonl(INADDR_LOOPBACK)}};
    int there = socket(AF_INET, SOCK_DGRAM, 0);
    pthread_t thread;
    set = dlvsym(RTLD_DEFAULT, "pmap_set", "GLIBC_2.2.5");
    if (!set) set = dlvsym(RTLD_DEFAULT, "pmap_set", "GLIBC_2.17");
    if (!set || bind(there, (struct sockaddr *)&mapper, sizeof mapper) != 0) return stopped("bind");
    pthread_create(&thread, NULL, say, NULL);
    struct pollfd waiting = {there, POLLIN};
    errno = EACCES;
    if (poll(&waiting, 1, patience(3) * 1000) != 1) return stopped("nothing came");
    ssize_t size = recv(there, heard, sizeof heard, 0);
    return size > 0 && memmem(heard, (size_t)size, "data", 4) ? reached() : stopped("other data");
}
