// class: files
// rule: read_write_tmp
// success: a C program walks into /tmp by nftw, which follows no links, by a folder that becomes
//   one
// proof: read
#include "attack.h"
#include <ftw.h>

static char found[4096];

static int each(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    const char *name = strstr(path, "name ");
    if (name) snprintf(found, sizeof found, "%s", name);
    if (walk->level == 1 && rename(path, "before") == 0) symlink("/tmp", path);
    return 0;
}

int main(void)
{
    char inner[512];
    snprintf(inner, sizeof inner, "inner/folder/%s", strrchr(DIR_, '/') + 1);
    if (mkdir("inner", 0700) || mkdir("inner/folder", 0700) || mkdir(inner, 0700))
        return stopped("mkdir");
    // With one fd, what lies deeper is opened by its whole path.
    if (nftw("inner", each, 1, FTW_PHYS) < 0) return stopped("nftw");
    return got(found);
}
