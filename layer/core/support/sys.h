/* System calls without libc: for code that runs before libc is ready, after
 * vfork, in signal handlers, and that must not pass our own doors.
 * A result below zero is -errno. */
#ifndef FS_SYS_H
#define FS_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
static inline long sys_call6(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline long sys_call6(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "x86_64 and arm64 only"
#endif

#define SYS_N(_1, _2, _3, _4, _5, _6, _7, n, ...) n
#define sys_call(...)                                                                              \
    SYS_N(__VA_ARGS__, sys_6, sys_5, sys_4, sys_3, sys_2, sys_1, sys_0)(__VA_ARGS__)
#define sys_0(n)             sys_call6(n, 0, 0, 0, 0, 0, 0)
#define sys_1(n, a)          sys_call6(n, (long)(a), 0, 0, 0, 0, 0)
#define sys_2(n, a, b)       sys_call6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys_3(n, a, b, c)    sys_call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys_4(n, a, b, c, d) sys_call6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys_5(n, a, b, c, d, e)                                                                    \
    sys_call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define sys_6(n, a, b, c, d, e, f)                                                                 \
    sys_call6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline int sys_openat(int dirfd, const char *path, int flags, unsigned mode)
{
    return (int)sys_call(SYS_openat, dirfd, path, flags, mode);
}
static inline int sys_close(int fd) { return (int)sys_call(SYS_close, fd); }
/* A copy of this fd, `least` or above, with close-on-exec, or -errno. If no fd may be so high,
 * fcntl returns EINVAL; the program did not ask for that, so it gets EMFILE. */
static inline int sys_copy_above(int fd, int least)
{
    int copy = (int)sys_call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least);
    return copy == -EINVAL ? -EMFILE : copy;
}
/* A high duplicate that the program does not expect; -errno. */
static inline int sys_own_fd(int fd)
{
    int own = sys_copy_above(fd, 900);
    return own < 0 ? sys_copy_above(fd, 3) : own;
}
static inline long sys_read(int fd, void *buffer, size_t size)
{
    return sys_call(SYS_read, fd, buffer, size);
}
static inline long sys_pread(int fd, void *buffer, size_t size, long at)
{
    return sys_call(SYS_pread64, fd, buffer, size, at);
}
static inline long sys_write(int fd, const void *buffer, size_t size)
{
    return sys_call(SYS_write, fd, buffer, size);
}
static inline long sys_readlinkat(int dirfd, const char *path, char *buffer, size_t size)
{
    return sys_call(SYS_readlinkat, dirfd, path, buffer, size);
}
/* x86_64 and arm64 hand out the kernel's struct stat as glibc and musl declare it. */
static inline int sys_fstat(int fd, struct stat *status)
{
    return (int)sys_call(SYS_fstat, fd, status);
}
static inline int sys_fstatat(int dirfd, const char *path, struct stat *status, int flags)
{
    return (int)sys_call(SYS_newfstatat, dirfd, path, status, flags);
}
static inline int sys_getpid(void) { return (int)sys_call(SYS_getpid); }
/* Memory for data that is too big for the stack of a small thread or a signal handler. NULL if
 * there is none. */
static inline void *sys_scratch(size_t size)
{
    long mapped = sys_call(SYS_mmap, NULL, size, 3 /* PROT_READ | PROT_WRITE */,
                           0x22 /* PRIVATE, ANONYMOUS */, -1, 0);
    return mapped < 0 && mapped > -4096 ? NULL : (void *)mapped;
}
static inline void sys_scratch_free(void *start, size_t size)
{
    if (start != NULL) sys_call(SYS_munmap, start, size);
}
/* Whether the kernel can read these bytes, so that an invalid pointer is the caller's EFAULT and
 * not a crash of the guard's. The kernel copies the signal set before it checks the command, which
 * is invalid, so nothing happens. Reads whole words, so that bytes at the end of a page are not
 * taken for bytes beyond it. */
static inline int sys_readable(const void *start, size_t size)
{
    uintptr_t first = (uintptr_t)start & ~7ul,
              last = size > 0 ? ((uintptr_t)start + size - 1) & ~7ul : first;
    if (start == NULL || last < first ||
        sys_call(SYS_rt_sigprocmask, ~0u, first, NULL, 8) == -EFAULT)
        return 0;
    return first >> 12 == last >> 12 || sys_call(SYS_rt_sigprocmask, ~0u, last, NULL, 8) != -EFAULT;
}
/* A socket's option that is an int, or -errno. */
static inline int sys_socket_option(int fd, int level, int name)
{
    int value = 0;
    unsigned size = sizeof value;
    long error = sys_call(SYS_getsockopt, fd, level, name, &value, &size);
    return error < 0 ? (int)error : value;
}
/* openat2 (Linux 5.6) that follows no link of any kind: -ELOOP where there is one, -ENOSYS on older
 * kernels. */
enum { SYS_CROSS_NO_MOUNT = 0x01 }; /* RESOLVE_NO_XDEV: -EXDEV where a path crosses one */
static inline int sys_open_no_links(int dirfd, const char *path, int flags, unsigned resolve)
{
    struct {
        uint64_t flags, mode, resolve;
    } how = {(unsigned)flags, 0,
             0x04 | 0x02 /* RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS */ | resolve};
    return (int)sys_call(437, dirfd, path, &how, sizeof how);
}
_Noreturn static inline void sys_exit(int status)
{
    for (;;) sys_call(SYS_exit_group, status);
}

/* A system call's result as libc gives it: -1 and errno. */
#define SYS_RESULT(value)                                                                          \
    __extension__({                                                                                \
        long sys_value_ = (long)(value);                                                           \
        if (sys_value_ < 0 && sys_value_ > -4096) {                                                \
            errno = (int)-sys_value_;                                                              \
            sys_value_ = -1;                                                                       \
        }                                                                                          \
        sys_value_;                                                                                \
    })

/* Between tries to take what another thread holds for a moment. That thread may have lost its
 * processor for as long as a busy machine lets it wait. Spinning on would compete with it for the
 * processor, and giving up early would refuse what is allowed. */
enum { SYS_SPINS = 200 };
static inline void sys_pause(unsigned tries)
{
    const struct timespec nap = {.tv_nsec = 50000};
    if (tries >= SYS_SPINS) sys_call(SYS_nanosleep, &nap, NULL);
}

#endif
