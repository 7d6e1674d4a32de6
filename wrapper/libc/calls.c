/* The launcher's system calls, by libc's names; its environment; the words for errors. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/sys.h"
#include "support/text.h"

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    unsigned mode = flags & O_CREAT ? va_arg(more, unsigned) : 0;
    va_end(more);
    return (int)SYS_RESULT(sys_openat(AT_FDCWD, path, flags, mode));
}

int close(int fd) { return (int)SYS_RESULT(sys_close(fd)); }

ssize_t write(int fd, const void *bytes, size_t size)
{
    return SYS_RESULT(sys_write(fd, bytes, size));
}

ssize_t readlink(const char *restrict path, char *restrict out, size_t size)
{
    return SYS_RESULT(sys_readlinkat(AT_FDCWD, path, out, size));
}

int access(const char *path, int mode)
{
    return (int)SYS_RESULT(sys_call(SYS_faccessat, AT_FDCWD, path, mode));
}

void *mmap(void *start, size_t size, int rights, int flags, int fd, off_t at)
{
    return (void *)SYS_RESULT(sys_call(SYS_mmap, start, size, rights, flags, fd, at));
}

int munmap(void *start, size_t size) { return (int)SYS_RESULT(sys_call(SYS_munmap, start, size)); }

int poll(struct pollfd *fds, nfds_t count, int milliseconds)
{
    struct timespec most = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    return (int)SYS_RESULT(sys_call(SYS_ppoll, fds, count, &most, NULL, 8));
}

int getrlimit(int kind, struct rlimit *limit)
{
    return (int)SYS_RESULT(sys_call(SYS_prlimit64, 0, kind, NULL, limit));
}

int getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
    return (int)SYS_RESULT(sys_call(SYS_getresuid, real, effective, saved));
}

int getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
    return (int)SYS_RESULT(sys_call(SYS_getresgid, real, effective, saved));
}

pid_t getpid(void) { return sys_getpid(); }

int execve(const char *path, char *const *argv, char *const *environment)
{
    return (int)SYS_RESULT(sys_call(SYS_execve, path, argv, environment));
}

_Noreturn void _exit(int status) { sys_exit(status); }

char *getenv(const char *name)
{
    size_t size = strlen(name);
    for (char **at = environ; *at; at++)
        if (strncmp(*at, name, size) == 0 && (*at)[size] == '=') return *at + size + 1;
    return NULL;
}

/* The errors of the calls that events quote. For any other, the number. */
char *strerror(int error)
{
    static const struct {
        int error;
        const char *text;
    } known[] = {
        {EPERM, "Operation not permitted"},
        {ENOENT, "No such file or directory"},
        {EIO, "Input/output error"},
        {ENXIO, "No such device or address"},
        {E2BIG, "Argument list too long"},
        {ENOEXEC, "Exec format error"},
        {ENOMEM, "Cannot allocate memory"},
        {EACCES, "Permission denied"},
        {ENODEV, "No such device"},
        {ENOTDIR, "Not a directory"},
        {EISDIR, "Is a directory"},
        {EINVAL, "Invalid argument"},
        {ENFILE, "Too many open files in system"},
        {EMFILE, "Too many open files"},
        {ETXTBSY, "Text file busy"},
        {ENOSPC, "No space left on device"},
        {EROFS, "Read-only file system"},
        {ENAMETOOLONG, "File name too long"},
        {ELOOP, "Too many levels of symbolic links"},
    };
    static char other[sizeof "error " + TEXT_NUMBER_SIZE] = "error ";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].error == error) return (char *)(uintptr_t)known[i].text;
    text_number(other + 6, (unsigned)error);
    return other;
}
