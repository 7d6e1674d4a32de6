// class: files
// rule: read_write_tmp
// success: a C program finds names in /tmp by glob
// proof: read
#include "attack.h"
#include <glob.h>

int main(void)
{
    char pattern[512];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s/n*", DIR_);
    if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc == 0) return stopped("glob");
    return got(found.gl_pathv[0]);
}
