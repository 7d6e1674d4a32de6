// class: files
// rule: read_write_tmp
// success: a C program reads a message catalogue that lies in /tmp
// proof: read
#include "attack.h"
#include <nl_types.h>

int main(void)
{
    char name[512];
    snprintf(name, sizeof name, "%s/catalogue", DIR_);
    nl_catd catalogue = catopen(name, 0);
    if (catalogue == (nl_catd)-1) return stopped("catopen");
    return got(catgets(catalogue, 1, 1, "nothing"));
}
