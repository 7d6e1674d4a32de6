// class: files
// rule: read_write_tmp
// success: a C program writes to /tmp through libc's mount table functions
// proof: new
#include "attack.h"
#include <mntent.h>

int main(void)
{
    struct mntent entry = {(char *)SECRET_, "/x", "none", "rw", 0, 0};
    FILE *table = setmntent(NEW_, "w");
    if (!table || addmntent(table, &entry) != 0) return stopped("setmntent");
    endmntent(table);
    return reached();
}
