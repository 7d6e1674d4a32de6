/* Sends bytes that are no ClientHello on a connection to an allowed name: `greet CALL NAME`. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char raw[] = "token: all that there is to take";

static ssize_t say(const char *call, int fd)
{
    struct iovec parts[2] = {{raw, 7}, {raw + 7, sizeof raw - 7}};
    struct mmsghdr many = {.msg_hdr = {.msg_iov = parts, .msg_iovlen = 2}};
    if (strcmp(call, "write") == 0) return write(fd, raw, sizeof raw);
    if (strcmp(call, "send") == 0) return send(fd, raw, sizeof raw, MSG_NOSIGNAL);
    if (strcmp(call, "writev") == 0) return writev(fd, parts, 2);
    if (strcmp(call, "pwritev2") == 0) return pwritev2(fd, parts, 2, -1, 0);
    if (strcmp(call, "sendmmsg") == 0) return sendmmsg(fd, &many, 1, MSG_NOSIGNAL);
    if (strcmp(call, "syscall") == 0) return syscall(SYS_write, fd, raw, sizeof raw);
    if (strcmp(call, "dprintf") == 0) return dprintf(fd, "%s", raw);
    return -1;
}

int main(int argc, char **argv)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET}, *found;
    if (argc < 3 || getaddrinfo(argv[2], "443", &hints, &found) != 0) return 2;
    int fd = socket(found->ai_family, found->ai_socktype, 0);
    if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) return 3;
    if (say(argv[1], fd) < 0) perror("refused");
    close(fd);
    return 0;
}
