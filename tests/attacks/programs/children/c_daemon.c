// class: children
// rule: create_child_process
// success: a C program becomes a daemon
// proof: mark
#include "attack.h"

int main(void)
{
    if (daemon(1, 1) != 0) return stopped("daemon");
    close(open(MARK_, O_CREAT | O_WRONLY, 0600));
    return reached();
}
