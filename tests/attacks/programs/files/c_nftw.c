// class: files
// rule: read_write_tmp
// success: a C program walks a folder of /tmp by nftw
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
    if (nftw(DIR_, each, 8, FTW_PHYS | FTW_CHDIR) < 0) return stopped("nftw");
    return got(found);
}
