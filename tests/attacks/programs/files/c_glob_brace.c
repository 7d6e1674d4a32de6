// class: files
// rule: read_write_tmp
// success: a C program finds names in /tmp by a pattern that does not name it
// proof: read
#include "attack.h"
#include <glob.h>

int main(void)
{
    char pattern[512];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "{/usr/nothing,/t?p%s/n*}", DIR_ + 4);
    if (glob(pattern, GLOB_BRACE, NULL, &found) != 0 || found.gl_pathc == 0) return stopped("glob");
    return got(found.gl_pathv[0]);
}
