// class: files
// rule: read_write_tmp
// success: a C program's signal handler on a small stack of its own reads a file in /tmp
// proof: read
#include "attack.h"
#include <signal.h>

static char text[256], stack[16384];

static void handle(int number)
{
    int fd = open(FILE_, O_RDONLY);
    if (fd >= 0) (void)!read(fd, text, sizeof text - 1);
}

int main(void)
{
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    return got(text);
}
