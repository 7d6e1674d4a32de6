// class: files
// rule: read_write_tmp
// success: a stream is opened anew without a name, after its file was replaced by a link to /tmp
// proof: new
// needs: one-filesystem
#include "attack.h"

int main(void)
{
    FILE *opened = fopen("harmless", "w");
    if (!opened) return stopped("fopen");
    if (rename("harmless", NEW_) != 0) return stopped("rename");
    if (!freopen(NULL, "a", opened)) return stopped("freopen");
    fputs("kept", opened);
    fclose(opened);
    return reached();
}
