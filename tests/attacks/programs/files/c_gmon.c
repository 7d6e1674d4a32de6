// class: files
// rule: read_write_tmp
// success: a C program makes libc's profiler write to /tmp
// proof: new
#include "attack.h"

extern void monstartup(unsigned long, unsigned long);
extern void _mcleanup(void);

int main(void)
{
    char name[512];
    setenv("GMON_OUT_PREFIX", NEW_, 1);
    monstartup((unsigned long)main & ~4095ul, ((unsigned long)main & ~4095ul) + 65536);
    _mcleanup();
    snprintf(name, sizeof name, "%s.%d", NEW_, getpid());
    return access(name, F_OK) == 0 ? reached() : stopped("_mcleanup");
}
