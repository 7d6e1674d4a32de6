// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp by fopen
// proof: read
#include "attack.h"

int main(void)
{
    FILE *opened = fopen(FILE_, "r");
    char line[256];
    if (!opened || !fgets(line, sizeof line, opened)) return stopped("fopen");
    return got(line);
}
