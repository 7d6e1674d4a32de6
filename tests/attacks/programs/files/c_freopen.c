// class: files
// rule: read_write_tmp
// success: a C program makes a file in /tmp its standard input
// proof: read
#include "attack.h"

int main(void)
{
    char line[256];
    if (!freopen(FILE_, "r", stdin) || !fgets(line, sizeof line, stdin)) return stopped("freopen");
    return got(line);
}
