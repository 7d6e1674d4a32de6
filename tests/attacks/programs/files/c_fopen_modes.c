// class: files
// rule: read_write_tmp
// success: a C program makes a file in /tmp by fopen with the GNU mode letters
// proof: new
#include "attack.h"

int main(void)
{
    FILE *opened = fopen(NEW_, "wxmce,ccs=UTF-8");
    if (!opened) return stopped("fopen");
    fputws(L"kept", opened);
    fclose(opened);
    return reached();
}
