// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp by open64
// proof: read
#include "attack.h"

int main(void)
{
    int fd = open64(FILE_, O_RDONLY);
    return fd < 0 ? stopped("open64") : got_from(fd);
}
