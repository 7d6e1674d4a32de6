// class: events
// rule: read_write_tmp
// success: a C program closes all fds by close_range and closefrom, and makes a folder in /tmp
// proof: new
#include "attack.h"
#include <dlfcn.h>

int main(void)
{
    int (*range)(unsigned, unsigned, int) = dlsym(RTLD_DEFAULT, "close_range");
    void (*from)(int) = dlsym(RTLD_DEFAULT, "closefrom");
    if (range) range(3, ~0u, 0);
    if (from) from(3);
    return mkdir(NEW_, 0700) == 0 ? reached() : stopped("mkdir");
}
