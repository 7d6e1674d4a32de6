// class: files
// rule: read_write_tmp
// success: a C program walks into /tmp by fts, by a link that it says to follow on the way
// proof: read
#include "attack.h"
#include <fts.h>

int main(void)
{
    char *roots[] = {"inner", NULL};
    if (mkdir("inner", 0700) || symlink(DIR_, "inner/link")) return stopped("symlink");
    FTS *walk = fts_open(roots, FTS_PHYSICAL, NULL);
    if (!walk) return stopped("fts_open");
    for (FTSENT *entry; (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_SL) fts_set(walk, entry, FTS_FOLLOW);
        if (strstr(entry->fts_name, SECRET_)) return got(entry->fts_name);
    }
    return stopped("not there");
}
