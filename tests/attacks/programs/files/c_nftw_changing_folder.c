// class: files
// rule: read_write_tmp
// success: a C program walks into /tmp by nftw, from a link to it, which changes to each folder
// proof: read
#include "attack.h"
#include <ftw.h>

static char found[4096];

static int each(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    const char *name = strstr(path, "name ");
    if (name) snprintf(found, sizeof found, "%s", name);
    return 0;
}

int main(void)
{
    if (mkdir("inner", 0700) || symlink(DIR_, "inner/link")) return stopped("symlink");
    if (nftw("inner", each, 8, FTW_CHDIR | FTW_DEPTH) < 0) return stopped("nftw");
    return got(found);
}
