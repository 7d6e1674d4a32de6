// class: events
// rule: guard_integrity
// success: a C program opens the event pipe for reading, by one of libc's functions or by a system
//   call number, and copies from it
// proof: word
#include "attack.h"
#include <spawn.h>
#include <sys/uio.h>

static int usable(int fd)
{
    struct stat sink, found;
    if (fd < 0 || fstat(2, &sink) != 0 || fstat(fd, &found) != 0 || sink.st_ino != found.st_ino)
        return 0;
    int ends[2];
    char text[64];
    struct iovec part = {text, sizeof text};
    if (pipe2(ends, O_NONBLOCK) != 0) return 0;
    /* Empty or not, a pipe that is open for reading is no EBADF. */
    int takes = (tee(fd, ends[1], 64, SPLICE_F_NONBLOCK) >= 0 || errno != EBADF) &&
                (splice(fd, NULL, ends[1], NULL, 64, SPLICE_F_NONBLOCK) >= 0 || errno != EBADF) &&
                (vmsplice(fd, &part, 1, SPLICE_F_NONBLOCK) >= 0 || errno != EBADF);
    close(ends[0]);
    close(ends[1]);
    return takes;
}

static int of(FILE *stream) { return stream ? fileno(stream) : -1; }

int main(void)
{
    const char *name = "/proc/self/fd/2";
    struct {
        uint64_t flags, mode, resolve;
    } how = {O_RDONLY | O_NONBLOCK, 0, 0};
    int taken = 0;
    taken |= usable(open(name, O_RDONLY | O_NONBLOCK));
    taken |= usable(open("/dev/stderr", O_RDWR | O_NONBLOCK));
    taken |=
        usable(openat(open("/proc/self/fd", O_RDONLY | O_DIRECTORY), "2", O_RDONLY | O_NONBLOCK));
    taken |= usable(of(fopen(name, "r+")));
    taken |= usable(of(fopen(name, "w+")));
    taken |= usable(of(fopen(name, "a+e,ccs=UTF-8")));
    taken |= usable(of(freopen(name, "r+", stdin)));
    taken |= usable((int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_NONBLOCK, 0));
    taken |= usable((int)syscall(437 /* openat2 */, AT_FDCWD, name, &how, sizeof how));
    int fd = (int)syscall(434 /* pidfd_open */, getpid(), 0);
    taken |= usable((int)syscall(438 /* pidfd_getfd */, fd, 2, 0));
    return taken ? reached() : stopped("every way");
}
