// class: files
// rule: read_write_tmp
// success: a C program makes a file in /tmp by creat
// proof: new
#include "attack.h"

int main(void)
{
    int fd = creat(NEW_, 0600);
    if (fd < 0 || write(fd, "kept", 4) != 4) return stopped("creat");
    return reached();
}
