// class: machine_code
// rule: native_code
// open: a program that makes its system calls itself passes no door; only kernel limits could hold it
// needs: x86_64
// success: a C program reads a file in /tmp by its own system calls
// proof: read
#include "attack.h"

static long raw(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

int main(void)
{
    char text[256] = "";
    long fd = raw(2, (long)FILE_, O_RDONLY, 0);
    raw(0, fd, (long)text, sizeof text - 1);
    return got(text);
}
