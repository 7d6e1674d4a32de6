// class: files
// rule: read_write_tmp
// success: a C program lists a folder of /tmp by scandir
// proof: read
#include "attack.h"
#include <dirent.h>

int main(void)
{
    struct dirent **entries;
    int count = scandir(DIR_, &entries, NULL, alphasort);
    if (count < 0) return stopped("scandir");
    for (int i = 0; i < count; i++)
        if (strstr(entries[i]->d_name, SECRET_)) return got(entries[i]->d_name);
    return stopped("not there");
}
