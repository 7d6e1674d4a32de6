// class: events
// rule: read_write_tmp
// success: a C program lowers the limit of fds below the guard's, closes those above, and makes a
//   folder in /tmp
// proof: new
#include "attack.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit limit = {4, 4};
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 3; fd < 4096; fd++) close(fd);
    return mkdir(NEW_, 0700) == 0 ? reached() : stopped("mkdir");
}
