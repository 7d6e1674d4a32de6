/* fds that are closed, replaced, locked, and used up. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "acts.h"

static void after_closing(const char *how)
{
    int fd = open("/dev/null", O_RDWR);
    printf("%s: first free %d\n", how, fd);
    close(fd);
    FILE *stream = popen("echo still here", "r");
    char line[64] = "";
    if (stream == NULL || fgets(line, sizeof line, stream) == NULL) strcpy(line, "nothing\n");
    printf("%s: %s", how, line);
    if (stream != NULL) printf("%s: status %d\n", how, pclose(stream));
    fflush(stdout);
}

void closing(void)
{
    for (int fd = 3; fd < 1024; fd++) close(fd);
    after_closing("loop");
    for (int fd = 3; fd < 40; fd++) dup2(1, fd);
    SHOW(close_range(3, ~0u, 0));
    after_closing("close_range");
    for (int fd = 3; fd < 40; fd++) dup2(1, fd);
    closefrom(3);
    after_closing("closefrom");
    for (int fd = 3; fd < 40; fd++) dup2(1, fd);
    SHOW(close_range(3, ~0u, CLOSE_RANGE_CLOEXEC));
    SHOW(fcntl(20, F_GETFD));
    printf("cloexec: %d\n", fcntl(20, F_GETFD));
    SHOW(close_range(3, 2, 0));
    SHOW(close_range(3, 4, 99));
    SHOW(syscall(SYS_close_range, 3, ~0u, 0));
    after_closing("syscall");
    DIR *list = opendir("/proc/self/fd");
    int own = dirfd(list), count = 0;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != own && fd > 2 && fd < 600) count++;
    }
    closedir(list);
    printf("left: %d\n", count);
}

void standing_in(void)
{
    char path[128], line[400];
    int said = dup(1), numbers[12], count = 0;
    snprintf(path, sizeof path, "%s/file", folder);
    for (int fd = 0; fd < 2; fd++) {
        close(fd);
        numbers[count++] = open(path, O_CREAT | O_RDWR, 0600);
        close(fd);
        numbers[count++] = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
        close(fd);
        numbers[count++] = open("/dev/null", O_RDWR);
        close(fd);
        FILE *stream = fopen(path, "a");
        numbers[count++] = stream ? fileno(stream) : -1;
        if (stream) fclose(stream);
        numbers[count++] = socket(AF_UNIX, SOCK_STREAM, 0);
    }
    int size = 0;
    for (int i = 0; i < count; i++)
        size += snprintf(line + size, sizeof line - (size_t)size, "%d ", numbers[i]);
    line[size++] = '\n';
    dup2(said, 1);
    write(1, line, (size_t)size);
    unlink(path);
}

/* fcntl's lock is released when any fd of the file is closed. */
void locks(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/file", folder);
    int fd = open(path, O_CREAT | O_RDWR, 0600), end[2];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET}, asked = lock;
    SHOW(fcntl(fd, F_SETLK, &lock));
    open(path, O_RDWR);
    open(path, O_CREAT | O_RDWR, 0600);
    fopen(path, "a");
    fopen(path, "r+");
    SHOW(chmod(path, 0640));
    SHOW(truncate(path, 3));
    SHOW(rename(path, path));
    SHOW(access(path, R_OK));
    pipe(end);
    pid_t pid = fork();
    if (pid == 0) {
        fcntl(fd, F_GETLK, &asked);
        _exit(asked.l_type == F_WRLCK ? 1 : 0);
    }
    wait_for("held", pid);
    unlink(path);
}

void limits(void)
{
    struct rlimit limit = {64, 64};
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    int fd, count = 0;
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) count++;
    printf("opened %s: %s\n", count > 50 ? "many" : "few", strerrorname_np(errno));
    SHOW(socket(AF_INET, SOCK_STREAM, 0));
    SHOW(open("/tmp/function-shield-no-such-file", O_RDONLY));
    char made[64];
    snprintf(made, sizeof made, "%s/made", folder);
    SHOW(open(made, O_CREAT | O_WRONLY, 0600));
    SHOW(unlink(made));
    SHOW(mkdir(made, 0700));
    SHOW(rmdir(made));
    SHOW_POINTER(opendir("/etc"));
    SHOW_POINTER(fopen("/etc/passwd", "r"));
    SHOW_POINTER(popen("true", "r"));
    printf("system: %d\n", system("exit 6"));
    close(10);
    printf("reuse: %d\n", open("/dev/null", O_RDONLY));
    SHOW(dup2(1, 63));
    SHOW(dup2(1, 64));
    SHOW(dup2(1, -1));
    SHOW(fcntl(1, F_DUPFD, 64));
    SHOW(fcntl(999, F_GETFL));
    SHOW(fcntl(1, 9999, 0));
    SHOW(close(-1));
    SHOW(close(900));
}
