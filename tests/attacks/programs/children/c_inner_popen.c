// class: children
// rule: create_child_process
// success: a C program runs a command line by the stream library's inner _IO_popen
// proof: mark
// needs: x86_64
#include "attack.h"
#include <dlfcn.h>
#include <sys/wait.h>

int main(void)
{
    char line[512];
    FILE *(*inner)(const char *, const char *) = dlsym(RTLD_DEFAULT, "_IO_popen");
    snprintf(line, sizeof line, "touch '%s'", MARK_);
    FILE *stream = inner ? inner(line, "r") : NULL;
    if (!stream) return stopped("_IO_popen");
    while (fgetc(stream) != EOF) continue;
    usleep(100000);
    return access(MARK_, F_OK) == 0 ? reached() : stopped("the child");
}
