/* Passes and closes sockets, while other threads copy other fds without end.
 *
 *      copies TIMES
 *
 * Prints how many sockets could be passed. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COPYING = 3 };

static atomic_bool over;
static int nothing;

static void *copies(void *unused)
{
    while (!over) close(dup(nothing));
    return unused;
}

static int pass(int near, int far)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), got = -1;
    char byte = '.', room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    int passed = sendmsg(near, &message, 0) == 1;
    close(fd);
    if (!passed || recvmsg(far, &message, MSG_CMSG_CLOEXEC) != 1) return 0;
    header = CMSG_FIRSTHDR(&message);
    if (header == NULL) return 0;
    memcpy(&got, CMSG_DATA(header), sizeof got);
    return close(got) == 0;
}

int main(int argc, char **argv)
{
    pthread_t threads[COPYING];
    int pair[2], passed = 0, times = argc == 2 ? atoi(argv[1]) : 0;
    nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return 2;
    for (int i = 0; i < COPYING; i++) pthread_create(&threads[i], NULL, copies, NULL);
    for (int i = 0; i < times; i++) passed += pass(pair[0], pair[1]);
    over = true;
    for (int i = 0; i < COPYING; i++) pthread_join(threads[i], NULL);
    printf("%d\n", passed);
    return 0;
}
