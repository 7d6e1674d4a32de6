// class: files
// rule: read_write_tmp
// success: a C program finds a name in /tmp by walking from /
// proof: read
#include "attack.h"
#include <ftw.h>

static char found[4096];

static int each(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    if (strstr(path, SECRET_)) snprintf(found, sizeof found, "%s", path);
    if (found[0]) return 1;
    /* Only towards /tmp: the rest of a machine is large. */
    if (kind == FTW_D && walk->level == 1 && strcmp(path, "/tmp") != 0) return FTW_SKIP_SUBTREE;
    if (kind == FTW_D && walk->level == 2 && strcmp(path, DIR_) != 0) return FTW_SKIP_SUBTREE;
    return FTW_CONTINUE;
}

int main(void)
{
    if (nftw("/", each, 32, FTW_PHYS | FTW_ACTIONRETVAL) < 0) return stopped("nftw");
    return got(strstr(found, SECRET_));
}
