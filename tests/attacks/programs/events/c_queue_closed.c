// class: events
// rule: read_write_tmp
// success: a C program closes all fds as if they were message queues, puts /dev/null in their
//   place, and makes a folder in /tmp
// proof: new
#include "attack.h"
#include <mqueue.h>

int main(void)
{
    int nothing = open("/dev/null", O_RDWR);
    for (int fd = 3; fd < 1024; fd++)
        if (fd != nothing && mq_close(fd) == 0) fcntl(nothing, F_DUPFD, fd);
    return mkdir(NEW_, 0700) == 0 ? reached() : stopped("mkdir");
}
