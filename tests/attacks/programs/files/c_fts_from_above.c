// class: files
// rule: read_write_tmp
// success: a C program walks into /tmp by fts, from a link to it
// proof: read
#include "attack.h"
#include <fts.h>

int main(void)
{
    char *roots[] = {"inner", NULL};
    if (mkdir("inner", 0700) || symlink(DIR_, "inner/link")) return stopped("symlink");
    FTS *walk = fts_open(roots, FTS_LOGICAL, NULL);
    if (!walk) return stopped("fts_open");
    for (FTSENT *entry; (entry = fts_read(walk));)
        if (strstr(entry->fts_name, SECRET_)) return got(entry->fts_name);
    return stopped("not there");
}
