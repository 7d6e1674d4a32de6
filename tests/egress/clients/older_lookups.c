/* Prints the addresses of each NAME by each libc function that looks names up, and then connects
 * there. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <gnu/libc-version.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void show(const char *how, const struct hostent *host)
{
    printf("%s: %s\n", how, host ? host->h_name : "not found");
}

int main(int count, char **names)
{
    printf("glibc %s\n", gnu_get_libc_version());
    for (int i = 1; i < count; i++) {
        struct addrinfo wanted = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
        struct hostent host, *result = NULL;
        char bytes[4096];
        int error = getaddrinfo(names[i], "443", &wanted, &found), host_error;
        printf("getaddrinfo: %s\n", error ? gai_strerror(error) : "found");
        show("gethostbyname", gethostbyname(names[i]));
        show("gethostbyname2", gethostbyname2(names[i], AF_INET));
        gethostbyname_r(names[i], &host, bytes, sizeof bytes, &result, &host_error);
        show("gethostbyname_r", result);
        if (!found) continue;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        printf("connect: %d\n", connect(fd, found->ai_addr, found->ai_addrlen));
        close(fd);
    }
    return 0;
}
