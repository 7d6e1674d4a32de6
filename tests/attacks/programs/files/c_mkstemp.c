// class: files
// rule: read_write_tmp
// success: a C program makes a file in /tmp by mkostemps
// proof: new
#include "attack.h"

int main(void)
{
    char name[256];
    snprintf(name, sizeof name, "%sXXXXXX.txt", NEW_);
    return mkostemps(name, 4, O_CLOEXEC) < 0 ? stopped("mkostemps") : reached();
}
