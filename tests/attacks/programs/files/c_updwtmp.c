// class: files
// rule: read_write_tmp
// success: a C program adds to a file in /tmp through updwtmp
// proof: changed
#include "attack.h"
#include <utmp.h>

int main(void)
{
    struct stat before, after;
    struct utmp entry = {.ut_type = USER_PROCESS};
    char name[512];
    snprintf(name, sizeof name, "%s/name", DIR_);
    stat(FILE_, &before);
    snprintf(entry.ut_host, sizeof entry.ut_host, "%s", SECRET_);
    updwtmp(FILE_, &entry);
    stat(FILE_, &after);
    return after.st_size > before.st_size ? reached() : stopped("updwtmp");
}
