// class: files
// rule: read_write_tmp
// success: a C program reads a message catalogue in /tmp, which a variable names
// proof: read
#include "attack.h"
#include <nl_types.h>

int main(void)
{
    setenv("NLSPATH", DIR_, 1);
    char path[512];
    snprintf(path, sizeof path, "%s/%%N", DIR_);
    setenv("NLSPATH", path, 1);
    nl_catd opened = catopen("catalogue", 0);
    if (opened == (nl_catd)-1) return stopped("catopen");
    return got(catgets(opened, 1, 1, "none"));
}
