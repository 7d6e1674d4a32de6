// class: files
// rule: read_write_tmp
// success: a C program keeps data in /tmp through libc's login records
// proof: changed
#include "attack.h"
#include <utmp.h>

int main(void)
{
    struct utmp entry = {.ut_type = USER_PROCESS};
    char name[512];
    snprintf(entry.ut_host, sizeof entry.ut_host, "%s", SECRET_);
    snprintf(name, sizeof name, "%s/file", DIR_);
    utmpname(name);
    setutent();
    if (!pututline(&entry)) return stopped("pututline");
    endutent();
    return reached();
}
