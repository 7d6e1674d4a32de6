/* Where the kernel enters the launcher, which has no libc: see docs/decisions/static-launcher.md.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <unistd.h>

int main(int argc, char **argv);

char **environ;
/* Pairs of a kind and a value, ended by AT_NULL: what the kernel says of the process. */
static const unsigned long *auxiliary;

__attribute__((used)) _Noreturn static void begin(char **stack)
{
    char **argv = stack + 1, **at = argv + (size_t)stack[0] + 1;
    environ = at;
    while (*at) at++;
    auxiliary = (const unsigned long *)(at + 1);
    _exit(main((int)(size_t)stack[0], argv));
}

__attribute__((naked)) _Noreturn void _start(void)
{
#if defined(__x86_64__)
    __asm__("xor %ebp, %ebp\n\tmov %rsp, %rdi\n\tcall begin");
#else
    __asm__("mov x29, xzr\n\tmov x30, xzr\n\tmov x0, sp\n\tb begin");
#endif
}

unsigned long getauxval(unsigned long kind)
{
    const unsigned long *at = auxiliary;
    while (at[0] != AT_NULL && at[0] != kind) at += 2;
    return at[0] == AT_NULL ? 0 : at[1];
}

int *__errno_location(void)
{
    static int last;
    return &last;
}
