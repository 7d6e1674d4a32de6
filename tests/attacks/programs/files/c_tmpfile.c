// class: files
// rule: read_write_tmp
// success: a C program keeps data in the file that tmpfile makes
// proof: word
#include "attack.h"

int main(void)
{
    FILE *opened = tmpfile();
    if (!opened) return stopped("tmpfile");
    fputs("kept", opened);
    rewind(opened);
    return fgetc(opened) == 'k' ? reached() : stopped("fgetc");
}
