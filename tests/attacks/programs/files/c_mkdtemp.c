// class: files
// rule: read_write_tmp
// success: a C program makes a folder in /tmp by mkdtemp
// proof: new
#include "attack.h"

int main(void)
{
    char name[256];
    snprintf(name, sizeof name, "%sXXXXXX", NEW_);
    return mkdtemp(name) ? reached() : stopped("mkdtemp");
}
