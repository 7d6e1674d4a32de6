// class: network
// rule: outbound_connectivity
// success: a C program connects by libc's old RPC client
// proof: sink
// needs: glibc>=2.17
#include "attack.h"
#include <dlfcn.h>

/* Declared by no header of today's libc, and still in it for old programs. */
int main(void)
{
    struct sockaddr_in sink = endpoint("ATTACK_SINK");
    int fd = -1;
    void *(*create)(void *, unsigned long, unsigned long, int *, unsigned, unsigned) =
        dlvsym(RTLD_DEFAULT, "clnttcp_create", "GLIBC_2.2.5");
    if (!create) create = dlvsym(RTLD_DEFAULT, "clnttcp_create", "GLIBC_2.17");
    if (!create) return stopped("clnttcp_create");
    return create(&sink, 100000, 2, &fd, 0, 0) ? reached() : stopped("clnttcp_create");
}
