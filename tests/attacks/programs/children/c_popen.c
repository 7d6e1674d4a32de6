// class: children
// rule: create_child_process
// success: a C program runs a command line by popen
// proof: mark
#include "attack.h"

int main(void)
{
    char line[512];
    snprintf(line, sizeof line, "touch '%s'", MARK_);
    FILE *stream = popen(line, "we");
    if (!stream) return stopped("popen");
    return pclose(stream) == 0 ? reached() : stopped("pclose");
}
