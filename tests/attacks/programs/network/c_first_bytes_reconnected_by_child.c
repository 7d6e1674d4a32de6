// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a forked child reconnects a socket from this machine to an allowed name: the parent
//   sends bytes that are not TLS
// proof: word
// needs: resolver
#include "allowed.h"
#include <sys/wait.h>

int main(void)
{
    int listener = allowed_listener(), near = socket(AF_INET, SOCK_STREAM, 0),
        fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in place = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}},
                       none = {.sin_family = AF_UNSPEC};
    socklen_t size = sizeof place;
    bind(near, (struct sockaddr *)&place, sizeof place);
    listen(near, 4);
    getsockname(near, (struct sockaddr *)&place, &size);
    if (connect(fd, (struct sockaddr *)&place, sizeof place) != 0) return stopped("connect");
    int child = fork();
    if (child == 0) {
        if (connect(fd, (struct sockaddr *)&none, sizeof none) != 0) _exit(1);
        _exit(connect(fd, (const struct sockaddr *)&allowed_place, sizeof allowed_place) != 0);
    }
    int status;
    waitpid(child, &status, 0);
    if (status != 0) return stopped("the child");
    if (write(fd, SECRET_, strlen(SECRET_)) < 0) return stopped("write");
    return allowed_heard(listener, 1000) ? reached() : stopped("nothing came");
}
