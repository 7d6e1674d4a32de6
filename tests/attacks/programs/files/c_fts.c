// class: files
// rule: read_write_tmp
// success: a C program walks a folder of /tmp by fts
// proof: read
#include "attack.h"
#include <fts.h>

int main(void)
{
    char *roots[] = {(char *)DIR_, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    if (!walk) return stopped("fts_open");
    for (FTSENT *entry; (entry = fts_read(walk));)
        if (strstr(entry->fts_name, SECRET_)) return got(entry->fts_name);
    return stopped("not there");
}
