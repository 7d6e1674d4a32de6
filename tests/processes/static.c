/* A program without libc: no door stands in its way. */
#include <sys/syscall.h>

void _start(void)
{
    static const char text[] = "static\n";
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_write), "D"(1), "S"(text), "d"(7)
                     : "rcx", "r11", "memory");
    __asm__ volatile("syscall" : : "a"(SYS_exit), "D"(0));
#else
    register long x8 __asm__("x8") = SYS_write, x0 __asm__("x0") = 1, x1 __asm__("x1") = (long)text,
                     x2 __asm__("x2") = 7;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    x8 = SYS_exit;
    x0 = 0;
    __asm__ volatile("svc 0" : : "r"(x8), "r"(x0));
#endif
    for (;;) {
    }
}
