// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp by openat2 through libc's syscall
// proof: read
#include "attack.h"
#include <linux/openat2.h>

int main(void)
{
    struct open_how how = {.flags = O_RDONLY};
    long fd = syscall(SYS_openat2, AT_FDCWD, FILE_, &how, sizeof how);
    return fd < 0 ? stopped("openat2") : got_from((int)fd);
}
