/* Writes to the given path by its own system calls, as machine code would. Prints the result. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static long call(long number, long a, long b, long c)
{
    long result;
#if defined(__x86_64__)
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    result = x0;
#endif
    return result;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    long fd = argc > 1 ? call(SYS_openat, -100, (long)argv[1], 0101 /* O_WRONLY | O_CREAT */) : -1;
    long wrote = call(SYS_write, fd, (long)"data", 4);
    getrlimit(RLIMIT_FSIZE, &limit);
    printf("%s %s\n", wrote == 4 ? "kept" : strerror((int)-wrote),
           limit.rlim_max == 0 ? "limited" : "unlimited");
    return 0;
}
