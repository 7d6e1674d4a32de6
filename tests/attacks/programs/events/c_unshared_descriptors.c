// class: events
// rule: read_write_tmp
// success: a C program makes close_range unshare the fd table and close all fds, and makes a folder
//   in /tmp
// proof: new
#include "attack.h"

int main(void)
{
    syscall(SYS_close_range, 3, ~0u, 2);
    syscall(SYS_close_range, 3, ~0u, 4);
    syscall(SYS_close_range, 3, ~0u, 0);
    return mkdir(NEW_, 0700) == 0 ? reached() : stopped("mkdir");
}
