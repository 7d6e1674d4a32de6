/* openat2, which glibc has since 2.43. With LIBRARY: a library that plays such a libc. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#ifdef LIBRARY
/* Like libc's own function, it calls no symbol. */
#if defined(__x86_64__)
__asm__(".globl openat2\n.type openat2, @function\nopenat2: mov $437, %eax\n mov %rcx, %r10\n"
        "syscall\nret\n");
#else
__asm__(".globl openat2\n.type openat2, %function\nopenat2: mov x8, 437\n svc 0\n ret\n");
#endif
#else
extern int openat2(int, const char *, const uint64_t[3], size_t);
int main(int count, char **words)
{
    char text[64] = "";
    int fd = openat2(AT_FDCWD, words[count - 1], (uint64_t[3]){O_RDONLY}, 24);
    puts(fd >= 0 && read(fd, text, sizeof text) > 0 ? text : "not opened");
    return 0;
}
#endif
