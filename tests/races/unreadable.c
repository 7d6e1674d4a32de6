/* Calls with pointers that lead nowhere, names at the end of a page, and names of every length:
 * prints what each gave. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define SAY(call)                                                                                  \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long result = (long)(call);                                                                \
        printf("%s = %ld %s\n", #call, result, result < 0 ? strerror(errno) : "");                 \
    } while (0)
#define OPENS(call) SAY(closes(call))

static int closes(int fd) { return fd < 0 ? fd : close(fd); }

int main(int count, char **arguments)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
         *nowhere = page + 4096;
    char name[6000], *edge = nowhere - 9, *last = nowhere - 10;
    uint64_t how[3] = {O_TMPFILE | O_RDWR, 0600, 0},
             find[3] = {O_TMPFILE | O_RDWR, 0600, 8 /* RESOLVE_BENEATH */};
    struct stat status;
    struct msghdr message = {.msg_name = nowhere, .msg_namelen = 16};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (count != 2 || chdir(arguments[1]) != 0) return 2;
    munmap(nowhere, 4096);
    memcpy(edge, "/dev/null", 9);
    OPENS(open(nowhere, O_RDONLY));
    OPENS(open(edge, O_RDONLY));
    OPENS(open(nowhere, O_RDONLY | O_CREAT, 0600));
    OPENS(open(NULL, O_RDONLY));
    SAY(mkdir(nowhere, 0700));
    SAY(mkdir(NULL, 0700));
    SAY(rename(nowhere, "/none"));
    SAY(rename("/none", nowhere));
    SAY(chmod(edge, 0600));
    SAY(unlink((char *)1));
    SAY(syscall(SYS_mkdirat, AT_FDCWD, nowhere, 0700));
    SAY(syscall(437, AT_FDCWD, "/dev/null", nowhere, sizeof how));
    SAY(syscall(437, AT_FDCWD, nowhere, how, sizeof how));
    SAY(syscall(435, nowhere, 88));
    SAY(execve(nowhere, arguments, environ));
    SAY(execve("/usr/bin/true", (char **)nowhere, environ));
    SAY(connect(fd, (struct sockaddr *)nowhere, 16));
    SAY(sendmsg(fd, (struct msghdr *)nowhere, 0));
    SAY(sendmsg(fd, &message, 0));
    SAY(sendmmsg(fd, (struct mmsghdr *)nowhere, 1, 0));
    memcpy(last, "/dev/null", 10);
    OPENS(open(last, O_RDONLY));
    mprotect(page, 4096, PROT_NONE);
    OPENS(open(last, O_RDONLY));
    memset(name, 'a', sizeof name);
    name[0] = '/';
    static const int sizes[] = {5999, 4096, 4095, 300, 257, 256, 255, 254};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        name[sizes[i]] = '\0';
        OPENS(open(name, O_RDONLY));
        SAY(rmdir(name));
    }
    memset(name, '/', 4000);
    strcpy(name + 3990, "dev/null");
    OPENS(open(name, O_RDONLY));
    OPENS(open(name, O_WRONLY | O_CREAT, 0600));
    int made = (int)syscall(437, AT_FDCWD, ".", how, sizeof how);
    printf("openat2 O_TMPFILE mode %o\n",
           made >= 0 && fstat(made, &status) == 0 ? status.st_mode & 07777 : 0);
    made = (int)syscall(437, AT_FDCWD, ".", find, sizeof find);
    printf("openat2 O_TMPFILE beneath mode %o\n",
           made >= 0 && fstat(made, &status) == 0 ? status.st_mode & 07777 : 0);
    return 0;
}
