// class: machine_code
// rule: guard_integrity
// success: a C program reads its own memory by process_vm_readv, which returns what it has
//   overwritten
// proof: word
#include "attack.h"
#include <sys/uio.h>

int main(void)
{
    char from[] = "forgotten", to[sizeof from] = "";
    struct iovec local = {to, sizeof to}, remote = {from, sizeof from};
    if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != sizeof from)
        return stopped("process_vm_readv");
    return strcmp(from, to) == 0 ? reached() : stopped("other bytes");
}
