// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp by the fortified __open_2
// proof: read
#include "attack.h"

extern int __open_2(const char *, int);

int main(void)
{
    int fd = __open_2(FILE_, O_RDONLY);
    return fd < 0 ? stopped("__open_2") : got_from(fd);
}
