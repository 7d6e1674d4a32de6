// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a connection to an allowed name gets the fd of a stream that was closed without fclose,
//   and the stream writes bytes that are not TLS from within libc
// proof: word
// needs: resolver
#include "allowed.h"

int main(void)
{
    int listener = allowed_listener();
    FILE *stream = fopen("/dev/null", "w");
    int fd = fileno(stream);
    close(fd);
    if (allowed_connection() != fd) return stopped("another fd");
    fputs(SECRET_, stream);
    if (fflush(stream) != 0) return stopped("fflush");
    return allowed_heard(listener, 2000) ? reached() : stopped("nothing came");
}
