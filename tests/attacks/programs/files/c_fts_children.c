// class: files
// rule: read_write_tmp
// success: a C program lists a folder of /tmp by fts, which a link leads to once the walk has begun
// proof: read
#include "attack.h"
#include <fts.h>

int main(void)
{
    char *roots[] = {"inner", NULL};
    if (mkdir("inner", 0700)) return stopped("mkdir");
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk || !fts_read(walk)) return stopped("fts_open");
    if (rename("inner", "before") || symlink(DIR_, "inner")) return stopped("symlink");
    for (FTSENT *entry = fts_children(walk, FTS_NAMEONLY); entry; entry = entry->fts_link)
        if (strstr(entry->fts_name, SECRET_)) return got(entry->fts_name);
    return stopped("not there");
}
