// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a connection to an allowed name gets the fd of a stream that is open, and the stream
//   writes bytes that are not TLS from within libc
// proof: word
// needs: resolver
#include "allowed.h"

int main(void)
{
    int listener = allowed_listener();
    FILE *stream = fopen("/dev/null", "w");
    int fd = fileno(stream);
    int connection = allowed_connection();
    close(fd);
    if (dup(connection) != fd) return stopped("another fd");
    fputs(SECRET_, stream);
    if (fflush(stream) != 0) return stopped("fflush");
    return allowed_heard(listener, 2000) ? reached() : stopped("nothing came");
}
