/* Calls with pointers that lead nowhere, names at the end of a page, and names of every length.
 * Prints each result. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <time.h>
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

/* An fd comes with each message. */
static void receives(void *nowhere)
{
    char byte, control[64] __attribute__((aligned(8))) = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr sent = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
    struct cmsghdr *header = (struct cmsghdr *)control;
    struct mmsghdr three[3] = {{{0}}};
    struct timespec soon = {0, 0}, later = {5, 0};
    struct stat status;
    int pair[2], free = dup(0);
    close(free);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    for (int i = 0; i < 9; i++) {
        *header = (struct cmsghdr){CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS};
        sent.msg_controllen = CMSG_SPACE(4);
        sendmsg(pair[1], &sent, 0);
    }
    struct msghdr message = sent;
    SAY(recvmsg(pair[0], nowhere, 0));
    SAY(recvmsg(pair[0], NULL, 0));
    SAY(recvmsg(-1, nowhere, 0));
    SAY(recvmsg(pair[0], &message, 0));
    printf("%zu %d %d\n", message.msg_controllen, message.msg_flags, *(int *)CMSG_DATA(header));
    message.msg_control = nowhere, message.msg_controllen = 64;
    SAY(recvmsg(pair[0], &message, 0));
    printf("%zu %d\n", message.msg_controllen, message.msg_flags);
    message.msg_control = control, message.msg_controllen = 18;
    SAY(recvmsg(pair[0], &message, 0));
    printf("%zu %d\n", message.msg_controllen, message.msg_flags);
    message.msg_controllen = 1 << 20, message.msg_control = malloc(1 << 20);
    SAY(recvmsg(pair[0], &message, MSG_CMSG_CLOEXEC));
    printf("%zu %d\n", message.msg_controllen, message.msg_flags & ~MSG_CMSG_CLOEXEC);
    SAY(recvmmsg(pair[0], nowhere, 1, MSG_DONTWAIT, NULL));
    for (int i = 0; i < 3; i++) three[i].msg_hdr = sent;
    SAY(recvmmsg(pair[0], three, 3, MSG_WAITFORONE, NULL));
    SAY(recvmmsg(pair[0], three, 3, MSG_DONTWAIT, &later));
    SAY(recvmmsg(pair[0], three, 3, MSG_DONTWAIT, NULL));
    sendmsg(pair[1], &sent, 0);
    sendmsg(pair[1], &sent, 0);
    SAY(recvmmsg(pair[0], three, 3, 0, &soon));
    for (int fd = free; fd < free + 12; fd++) printf("%d", fstat(fd, &status) == 0);
    printf("\n");
}

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
    SAY(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, nowhere, 8));
    SAY(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, NULL, 8));
    SAY(setsockopt(-1, IPPROTO_IP, IP_ADD_MEMBERSHIP, nowhere, 8));
    SAY(setrlimit(RLIMIT_AS, nowhere));
    SAY(prlimit(0, RLIMIT_DATA, nowhere, NULL));
    receives(nowhere);
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
