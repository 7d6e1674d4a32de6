// class: network
// rule: outbound_connectivity
// policy: names.yaml
// success: a connection takes the place of the fd that libc keeps for the system's log, and fmtmsg
//   writes to it
// proof: word
// needs: resolver, log
#include "allowed.h"
#include <fmtmsg.h>
#include <sys/un.h>

int main(void)
{
    int listener = allowed_listener(), connection = -1;
    struct sockaddr_un peer;
    for (int fd = 3; fd < 64 && connection < 0; fd++) {
        socklen_t size = sizeof peer;
        if (fd == 3) fmtmsg(MM_CONSOLE, "a:b", MM_INFO, "x", "x", "x:1");
        if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sun_family != AF_UNIX ||
            size < 4 || strcmp(peer.sun_path, "/dev/log") != 0)
            continue;
        close(fd);
        connection = socket(AF_INET, SOCK_STREAM, 0);
        if (connection != fd) connection = dup2(connection, fd);
    }
    if (connection < 0) return stopped("libc keeps no socket of the log");
    if (connect(connection, (const struct sockaddr *)&allowed_place, sizeof allowed_place) != 0)
        return stopped("connect");
    fmtmsg(MM_CONSOLE, "a:b", MM_INFO, SECRET_, "x", "x:1");
    return allowed_heard(listener, 3000) ? reached() : stopped("nothing came");
}
