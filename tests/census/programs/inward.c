/* Calls one function of libc that opens, connects or mounts internally, by its name in dlvsym.
 * The census found these functions without doors. Prints "done" if it worked, otherwise the
 * error. The second argument is the path or name to use. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void *find(const char *name)
{
    static const char *const versions[] = {"GLIBC_PRIVATE", "GLIBC_2.2.5", "GLIBC_2.17",
                                           "GLIBC_2.36"};
    void *libc = dlopen("libc.so.6", RTLD_NOW), *found = dlsym(libc, name);
    for (size_t i = 0; !found && i < sizeof versions / sizeof *versions; i++)
        found = dlvsym(libc, name, versions[i]);
    if (!found) {
        printf("absent\n");
        exit(0);
    }
    return found;
}

static int says(int worked)
{
    if (worked)
        printf("done\n");
    else
        printf("%s\n", strerror(errno));
    return 0;
}

#define IS(word) (strcmp(name, word) == 0)

int main(int count, char **words)
{
    if (count < 3) return 2;
    const char *name = words[1], *with = words[2];
    void *function = find(name);
    errno = 0;
    if (IS("__open64_nocancel") || IS("__open_nocancel"))
        return says(((int (*)(const char *, int, ...))function)(with, O_RDONLY) >= 0);
    if (IS("setmntent") || IS("__setmntent"))
        return says(((FILE * (*)(const char *, const char *)) function)(with, "r") != NULL);
    if (IS("__nss_files_fopen")) return says(((FILE * (*)(const char *)) function)(with) != NULL);
    if (IS("utmpname") || IS("utmpxname"))
        return says(((int (*)(const char *))function)(with) == 0);
    if (IS("bindtextdomain"))
        return says(((char *(*)(const char *, const char *))function)("x", with) != NULL);
    if (IS("getdate_r")) {
        char room[128];
        setenv("DATEMSK", with, 1);
        return says(((int (*)(const char *, void *))function)("x", room) != 2);
    }
    if (IS("__socket"))
        return says(((int (*)(int, int, int))function)(AF_PACKET, SOCK_RAW, 0) >= 0);
    if (IS("__ivaliduser")) {
        char line[256];
        int size = snprintf(line, sizeof line, "%s somebody\n", with);
        FILE *hosts = fmemopen(line, (size_t)size, "r");
        (void)((int (*)(FILE *, uint32_t, const char *, const char *))function)(hosts, 1, "a", "b");
        return says(errno != EACCES);
    }
    if (IS("_nss_dns_getcanonname_r")) {
        char buffer[1024], *result = NULL;
        int error = 0, host_error = 0;
        ((int (*)(const char *, char *, size_t, char **, int *, int *))function)(
            with, buffer, sizeof buffer, &result, &error, &host_error);
        errno = error;
        return says(error != EACCES);
    }
    if (IS("rtime") || IS("clnttcp_create")) {
        struct sockaddr address = {.sa_family = AF_INET};
        memcpy(address.sa_data + 2, "\177\102\102\102", 4); /* 127.66.66.66 */
        if (IS("rtime"))
            return says(
                ((int (*)(void *, void *, void *))function)(&address, (char[16]){0}, NULL) >= 0 ||
                errno != EACCES);
        int fd = -1;
        void *client = ((void *(*)(void *, long, long, int *, unsigned, unsigned))function)(
            &address, 1, 1, &fd, 0, 0);
        return says(client != NULL || errno != EACCES);
    }
    if (IS("fsopen")) return says(((int (*)(const char *, unsigned))function)("tmpfs", 0) >= 0);
    if (IS("prctl")) {
        struct {
            unsigned short size;
            void *filter;
        } program = {1, (unsigned char[8]){6, 0, 0, 0, 0, 0, 0xff, 0x7f}}; /* allow */
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        return says(((int (*)(int, unsigned long, void *, long, long))function)(
                        PR_SET_SECCOMP, 2, &program, 0, 0) == 0);
    }
    return 2;
}
