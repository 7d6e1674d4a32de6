// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp by the fortified __openat64_2, from a folder's fd
// proof: read
#include "attack.h"

extern int __openat64_2(int, const char *, int);

int main(void)
{
    int folder = open("/", O_PATH), fd = __openat64_2(folder, FILE_ + 1, O_RDONLY);
    return fd < 0 ? stopped("__openat64_2") : got_from(fd);
}
