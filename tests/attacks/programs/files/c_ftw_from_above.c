// class: files
// rule: read_write_tmp
// success: a C program walks into /tmp by ftw, from a link to it
// proof: read
#include "attack.h"
#include <ftw.h>

static char found[4096];

static int each(const char *path, const struct stat *status, int kind)
{
    const char *name = strstr(path, "name ");
    if (name) snprintf(found, sizeof found, "%s", name);
    return 0;
}

int main(void)
{
    if (mkdir("inner", 0700) || symlink(DIR_, "inner/link")) return stopped("symlink");
    if (ftw("inner", each, 8) < 0) return stopped("nftw");
    return got(found);
}
