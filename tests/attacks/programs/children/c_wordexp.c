// class: children
// rule: create_child_process
// success: a C program runs a command line by wordexp
// proof: mark
#include "attack.h"
#include <wordexp.h>

int main(void)
{
    char line[512];
    wordexp_t words = {0};
    snprintf(line, sizeof line, "\"$(touch '%s')\"", MARK_);
    return wordexp(line, &words, 0) == 0 ? reached() : stopped("wordexp");
}
