/* Acts in C: what libc tells a program that the guard refuses. Prints the result and errno of each.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int say(long result)
{
    printf("%ld %d\n", result, result < 0 ? errno : 0);
    return 0;
}

static void address_of(const char *text, struct sockaddr_in *address)
{
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons(443);
    inet_pton(AF_INET, text, &address->sin_addr);
}

int main(int argc, char **argv)
{
    const char *act = argc > 1 ? argv[1] : "", *object = argc > 2 ? argv[2] : "";
    struct sockaddr_in address;
    struct stat status;
    if (!strcmp(act, "argv0")) return puts(argv[0]) < 0;
    if (!strcmp(act, "connect")) {
        /* Only the errno, as the tests in Python print it. */
        address_of(object, &address);
        errno = 0;
        connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
        return printf("%d\n", errno) < 0;
    }
    if (!strcmp(act, "connect-result")) {
        address_of(object, &address);
        return say(
            connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address));
    }
    if (!strcmp(act, "sendto")) {
        address_of(object, &address);
        return say(sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&address,
                          sizeof address));
    }
    if (!strcmp(act, "getaddrinfo")) {
        struct addrinfo *found = NULL;
        int error = getaddrinfo(object, "443", NULL, &found);
        return printf("%d %s\n", error, error == EAI_FAIL ? "EAI_FAIL" : "") < 0;
    }
    if (!strcmp(act, "gethostbyname")) {
        struct hostent *found = gethostbyname(object);
        return printf("%s %d\n", found ? "found" : "NULL", found ? 0 : h_errno) < 0;
    }
    if (!strcmp(act, "open")) return say(open(object, O_RDONLY));
    if (!strcmp(act, "create")) return say(open(object, O_WRONLY | O_CREAT | O_EXCL, 0600));
    if (!strcmp(act, "fopen")) return say(fopen(object, "w") ? 0 : -1);
    if (!strcmp(act, "mkdir")) return say(mkdir(object, 0700));
    if (!strcmp(act, "unlink")) return say(unlink(object));
    if (!strcmp(act, "stat")) return say(stat(object, &status));
    if (!strcmp(act, "rename")) return say(rename(object, argv[3]));
    if (!strcmp(act, "fork")) {
        pid_t pid = fork();
        if (pid == 0) _exit(0);
        if (pid > 0) waitpid(pid, NULL, 0);
        return say(pid > 0 ? 0 : -1);
    }
    if (!strcmp(act, "execv")) return say(execv(object, argv + 2));
    if (!strcmp(act, "posix_spawn")) {
        pid_t pid;
        return printf("%d\n", posix_spawn(&pid, object, NULL, NULL, argv + 2, NULL)) < 0;
    }
    if (!strcmp(act, "system")) return say(system(object));
    if (!strcmp(act, "popen")) return say(popen(object, "r") ? 0 : -1);
    fprintf(stderr, "no such act: %s\n", act);
    return 2;
}
