// class: files
// rule: read_write_tmp
// success: a C program lists a folder of /tmp by fdopendir and getdents64
// proof: read
#include "attack.h"
#include <dirent.h>

int main(void)
{
    int fd = openat(AT_FDCWD, DIR_, O_RDONLY | O_DIRECTORY);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) return stopped("fdopendir");
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strstr(entry->d_name, SECRET_)) return got(entry->d_name);
    return stopped("not there");
}
