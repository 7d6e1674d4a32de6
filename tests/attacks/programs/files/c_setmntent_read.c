// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp through libc's mount table functions
// proof: read
#include "attack.h"
#include <mntent.h>

int main(void)
{
    char text[512];
    FILE *table = setmntent(FILE_, "r");
    struct mntent *entry = table ? getmntent(table) : NULL;
    if (!entry) return stopped("getmntent");
    snprintf(text, sizeof text, "%s %s", entry->mnt_fsname, entry->mnt_dir);
    return got(text);
}
