/* How programs start others: fork, posix_spawn, popen, daemons, exec, raw calls. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "acts.h"

void daemonise(void)
{
    int ends[2];
    char line[64];
    for (int way = 0; way < 2; way++) {
        if (pipe(ends) != 0) return;
        pid_t pid = fork();
        if (pid == 0) {
            close(ends[0]);
            if (way == 0) {
                if (daemon(0, 0) != 0) _exit(1);
            } else {
                if (setsid() < 0 || fork() > 0) _exit(0);
                for (int fd = 0; fd < 256; fd++)
                    if (fd != ends[1]) close(fd);
                open("/dev/null", O_RDWR);
                dup(0);
                dup(0);
                if (chdir("/") != 0) _exit(1);
            }
            char place[PATH_MAX];
            int status = system("exit 3");
            int size = snprintf(line, sizeof line, "in %s, status %d", getcwd(place, sizeof place),
                                status);
            _exit(write(ends[1], line, (size_t)size) == size ? 0 : 1);
        }
        close(ends[1]);
        wait_for("first", pid);
        ssize_t got, size = 0;
        while ((got = read(ends[0], line + size, sizeof line - 1 - (size_t)size)) > 0) size += got;
        line[size] = '\0';
        printf("daemon %d: %s\n", way, line);
        close(ends[0]);
    }
}

static atomic_bool stop;

static void *busy(void *argument)
{
    char name[64];
    snprintf(name, sizeof name, "%s/b%ld", folder, (long)(intptr_t)argument);
    while (!stop) {
        FILE *stream = fopen(name, "w");
        if (stream) {
            fputs("busy", stream);
            fclose(stream);
        }
        struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *found;
        if (getaddrinfo("127.0.0.1", "80", &hints, &found) == 0) freeaddrinfo(found);
        free(malloc(5000));
    }
    unlink(name);
    return NULL;
}

static int executes(void *path)
{
    execl(path, path, (char *)NULL);
    return 127;
}

void forking(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    pthread_t all[6];
    int failures = 0;
    for (long i = 0; i < 6; i++) pthread_create(&all[i], NULL, busy, (void *)i);
    for (int i = 0; i < 120; i++) {
        pid_t pid = i % 3 == 0 ? vfork() : fork();
        if (pid == 0) {
            if (i % 3 == 0) {
                execl("/bin/true", "true", (char *)NULL);
                _exit(127);
            }
            alarm(20);
            int fd = open("/tmp/function-shield-no-such-file", O_RDONLY);
            int other = open("/etc/passwd", O_RDONLY);
            if (fd != -1 || other < 0) _exit(1);
            if (i % 3 == 1) execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
            _exit(0);
        }
        int status = -1;
        if (waitpid(pid, &status, 0) != pid || status != 0) failures++;
    }
    stop = true;
    for (int i = 0; i < 6; i++) pthread_join(all[i], NULL);
    printf("failures: %d\n", failures);
    wait_for("shared handlers", clone(executes, stack + sizeof stack,
                                      CLONE_VM | CLONE_SIGHAND | SIGCHLD, (char *)"/bin/true"));
}

static void spawn_one(const char *what, const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes, const char *path, bool search,
                      char *const *argv)
{
    pid_t pid = -1;
    int error = search ? posix_spawnp(&pid, path, actions, attributes, argv, environ)
                       : posix_spawn(&pid, path, actions, attributes, argv, environ);
    if (error == 0)
        wait_for(what, pid);
    else
        printf("%s: %s\n", what, strerrorname_np(error));
}

void spawning(void)
{
    char out[64], line[128] = "";
    snprintf(out, sizeof out, "%s/out", folder);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawn_file_actions_addclose(&actions, 0);
    posix_spawn_file_actions_addchdir_np(&actions, "/usr");
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    char *argv[] = {"sh", "-c", "pwd; ls /proc/self/fd | awk '$1 < 600' | wc -l; cat", NULL};
    spawn_one("actions", &actions, NULL, "sh", true, argv);
    FILE *stream = fopen(out, "r");
    while (stream && fgets(line, sizeof line, stream))
        printf("  %s", strstr(line, "cat") ? "cat complains\n" : line);
    if (stream) fclose(stream);
    posix_spawn_file_actions_destroy(&actions);

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 5, "/nonexistent/file", O_RDONLY, 0);
    spawn_one("missing file", &actions, NULL, "/bin/true", false, argv);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, 77, 5);
    spawn_one("bad descriptor", &actions, NULL, "/bin/true", false, argv);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, "/usr/bin");
    spawn_one("relative after chdir", &actions, NULL, "./true", false, argv);
    posix_spawn_file_actions_destroy(&actions);

    posix_spawnattr_t attributes;
    sigset_t set;
    posix_spawnattr_init(&attributes);
    sigfillset(&set);
    posix_spawnattr_setsigmask(&attributes, &set);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP |
                                              POSIX_SPAWN_SETSCHEDULER * 0);
    char *mask[] = {"sh", "-c", "grep SigBlk /proc/self/status", NULL};
    spawn_one("attributes", NULL, &attributes, "/bin/sh", false, mask);
    posix_spawnattr_destroy(&attributes);
    spawn_one("no program", NULL, NULL, "/nonexistent", false, argv);
    spawn_one("a folder", NULL, NULL, "/usr", false, argv);
    spawn_one("no permission", NULL, NULL, "/etc/passwd", false, argv);
    spawn_one("not found", NULL, NULL, "function-shield-no-such-program", true, argv);
    char script[64];
    snprintf(script, sizeof script, "%s/script", folder);
    stream = fopen(script, "w");
    if (stream) {
        fputs("echo no interpreter line: $0 $1 | sed s/acts-....../acts/\n", stream);
        fclose(stream);
    }
    chmod(script, 0700);
    char *words[] = {script, "one", NULL};
    spawn_one("no interpreter line", NULL, NULL, script, false, words);
    pid_t pid = fork();
    if (pid == 0) {
        execvp(script, words);
        _exit(errno);
    }
    wait_for("execvp of it", pid);
    pid = fork();
    if (pid == 0) {
        execv(script, words);
        _exit(errno == ENOEXEC ? 8 : 1);
    }
    wait_for("execv of it", pid);
    unlink(script);
    unlink(out);
}

void streams(void)
{
    printf("system NULL: %s\n", system(NULL) ? "shell" : "none");
    printf("system: %d %d %d\n", system("exit 7"), system("kill -9 $$"), system("true"));
    fflush(stdout);
    system("echo out; echo more >&2");
    FILE *one = popen("cat; exit 4", "w");
    fputs("through a pipe\n", one);
    FILE *two = popen("ls /proc/self/fd | awk '$1 < 600' | wc -l", "r");
    char line[64] = "";
    fgets(line, sizeof line, two);
    printf("inherited: %s", line);
    printf("two: %d\n", pclose(two));
    fflush(stdout);
    printf("one: %d\n", pclose(one));
    FILE *bad = popen("true", "rw");
    printf("mode: %s %s\n", bad ? "opened" : "refused", strerrorname_np(errno));
    bad = popen("true", "x");
    printf("mode: %s %s\n", bad ? "opened" : "refused", strerrorname_np(errno));
    FILE *many[20];
    for (int i = 0; i < 20; i++) many[i] = popen("cat", "r");
    int sum = 0;
    for (int i = 0; i < 20; i++) sum += many[i] ? pclose(many[i]) : 1000;
    printf("twenty: %d\n", sum);
    signal(SIGCHLD, SIG_IGN);
    errno = 0;
    printf("ignored children: %d", system("exit 3"));
    printf(" %s\n", errno ? strerrorname_np(errno) : "0");
    signal(SIGCHLD, SIG_DFL);
    clearenv();
    printf("no environment: %d\n", system("test -z \"$HOME\""));
    environ = NULL;
    printf("none at all: %d\n", system("exit 5"));
}

static int cloned(void *argument)
{
    *(volatile int *)argument = 5;
    return 6;
}

void raw(void)
{
    SHOW(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
    SHOW(syscall(SYS_openat, AT_FDCWD, "/nonexistent", O_RDONLY));
    SHOW(syscall(SYS_openat, AT_FDCWD, (char *)1, O_RDONLY));
    SHOW(syscall(99999));
    SHOW(syscall(-1));
    SHOW(syscall(SYS_dup, 999));
    SHOW(syscall(SYS_mkdirat, AT_FDCWD, "/nonexistent/x", 0700));
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(9);
    wait_for("raw clone", pid);
    static char stack[65536] __attribute__((aligned(16)));
    volatile int shared = 0;
    pid = clone(cloned, stack + sizeof stack, SIGCHLD, (void *)&shared);
    wait_for("clone", pid);
    printf("own memory: %d\n", shared);
    pid = clone(cloned, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)&shared);
    wait_for("clone", pid);
    printf("shared memory: %d\n", shared);
    pid = vfork();
    if (pid == 0) _exit(11);
    wait_for("vfork", pid);
    pid = vfork();
    if (pid == 0) {
        execl("/nonexistent", "x", (char *)NULL);
        _exit(errno == ENOENT ? 12 : 1);
    }
    wait_for("vfork", pid);
}

void executing(void)
{
    static char big[200 * 1024];
    memset(big, 'a', sizeof big - 1);
    char *words[] = {"sh", "-c", "echo $0 $#; exit 2", "zero", "one", NULL}, *empty[] = {NULL},
         *large[] = {"true", big, NULL};
    char *few[] = {"ONE=1", "TWO=2", NULL};
    SHOW(execv("/nonexistent", words));
    SHOW(execv("/etc", words));
    SHOW(execv("/etc/passwd", words));
    SHOW(execv("", words));
    SHOW(execv(NULL, words));
    SHOW(execvp("", words));
    SHOW(execvp("function-shield-no-such-program", words));
    SHOW(execv("/bin/true", large));
    SHOW(execve("/bin/true/x", words, few));
    SHOW(fexecve(-1, words, few));
    SHOW(fexecve(999, words, few));
    struct {
        const char *what;
        int way;
    } ways[] = {{"execv", 0},  {"execve", 1},           {"execvp", 2},
                {"execle", 3}, {"fexecve", 4},          {"no arguments", 5},
                {"execlp", 6}, {"NULL environment", 7}, {"execveat", 8}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            switch (ways[i].way) {
            case 0: execv("/bin/sh", words); break;
            case 1: execve("/bin/sh", words, few); break;
            case 2: execvp("sh", words); break;
            case 3:
                execle("/bin/sh", "sh", "-c", "echo $ONE$TWO; exit 3", (char *)NULL, few);
                break;
            case 4: fexecve(open("/bin/sh", O_RDONLY | O_CLOEXEC), words, few); break;
            case 5: execv("/bin/true", empty); break;
            case 6: execlp("sh", "sh", "-c", "exit 4", (char *)NULL); break;
            case 7: execve("/bin/sh", words, NULL); break;
            default: execveat(open("/bin", O_PATH | O_CLOEXEC), "sh", words, few, 0); break;
            }
            _exit(100 + errno);
        }
        wait_for(ways[i].what, pid);
    }
}
