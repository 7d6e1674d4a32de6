/* Programs that use libc in the ways that a guard in front of it could spoil. `acts NAME` does one
 * and prints what came of it; the tests compare what is printed without the guard and with it.
 * Nothing here prints what differs between two runs. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <wordexp.h>

extern char **environ;

static char folder[] = "/tmp/function-shield-acts-XXXXXX";

/* The result of a call, with its errno where it failed. */
static void show(const char *what, long result)
{
    int error = errno;
    if (result < 0)
        printf("%s: %s\n", what, strerrorname_np(error) ? strerrorname_np(error) : "?");
    else
        printf("%s: done\n", what);
    errno = 0;
}

#define SHOW(call)         (errno = 0, show(#call, (long)(call)))
#define SHOW_POINTER(call) (errno = 0, show(#call, (call) != NULL ? 0 : -1))

static void wait_for(const char *what, pid_t pid)
{
    int status = -1;
    pid_t waited = waitpid(pid, &status, 0);
    printf("%s: %s, %s %d\n", what, waited == pid ? "waited" : "lost",
           WIFEXITED(status) ? "exit" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/* ---- threads ---- */

static void *work(void *argument)
{
    long mistakes = 0;
    for (int i = 0; i < 60; i++) {
        errno = 77;
        int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || errno != 77) mistakes++;
        close(fd);
        if (open("/nonexistent/x", O_RDONLY) != -1 || errno != ENOENT) mistakes++;
        char name[64];
        snprintf(name, sizeof name, "%s/t%ld-%d", folder, (long)(intptr_t)argument, i);
        fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0 || unlink(name) != 0) mistakes++;
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
            close(fd) != 0)
            mistakes++;
    }
    return (void *)mistakes;
}

static void threads(void)
{
    pthread_t all[48];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024); /* as small as careful programs make them */
    long mistakes = 0;
    for (long i = 0; i < 48; i++)
        if (pthread_create(&all[i], &attributes, work, (void *)i) != 0) mistakes++;
    for (int i = 0; i < 48; i++) {
        void *result;
        pthread_join(all[i], &result);
        mistakes += (long)result;
    }
    printf("mistakes: %ld\n", mistakes);
}

/* ---- a thread with the smallest stack, and a signal handler on one ---- */

static void *small_work(void *argument)
{
    (void)argument;
    char link[16];
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    close(fd);
    unlink("/tmp/function-shield-no-such-file");
    readlink("/proc/self/exe", link, sizeof link);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    char path[64], *argv[] = {"true", NULL};
    snprintf(path, sizeof path, "%s/small", folder);
    mkdir(path, 0700);
    rmdir(path);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    fd = open(path, O_RDONLY);
    close(fd);
    unlink(path);
    pid_t pid;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) == 0) waitpid(pid, NULL, 0);
    return NULL;
}

static void small_handler(int number)
{
    (void)number;
    small_work(NULL);
}

static void smallest_stack(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    printf("size: %d\n", pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN));
    printf("create: %d\n", pthread_create(&thread, &attributes, small_work, NULL));
    printf("join: %d\n", pthread_join(thread, NULL));
    static char stack[16384];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = small_handler, .sa_flags = SA_ONSTACK};
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    SHOW(raise(SIGUSR1));
}

/* ---- closing whatever is open ---- */

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

static void closing(void)
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

/* ---- daemons ---- */

static void daemonise(void)
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

/* ---- signal handlers ---- */

static atomic_int handled, handler_mistakes;

static void on_signal(int number)
{
    int error = errno;
    errno = 55;
    int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && errno != 55) handler_mistakes++;
    if (fd >= 0) close(fd);
    if (open("/tmp/function-shield-no-such-file", O_RDONLY) != -1 || errno != ENOENT)
        handler_mistakes++;
    if (handled % 16 == 0) {
        pid_t pid = fork();
        if (pid == 0) _exit(0);
        if (waitpid(pid, NULL, 0) != pid) handler_mistakes++;
    }
    handled++;
    (void)number;
    errno = error;
}

static void signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval every = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_REAL, &every, NULL);
    long mistakes = 0;
    for (int i = 0; handled < 100 && i < 2000000; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/s%d", folder, i);
        errno = 66;
        int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0 || errno != 66 || close(fd) != 0 || unlink(name) != 0) mistakes++;
        void *memory = malloc(1000);
        free(memory);
    }
    memset(&every, 0, sizeof every);
    setitimer(ITIMER_REAL, &every, NULL);
    printf("mistakes: %ld %d, handled %s\n", mistakes, handler_mistakes,
           handled >= 100 ? "enough" : "too few");
}

/* ---- fork while other threads are at work ---- */

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

static void forking(void)
{
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
}

/* ---- posix_spawn ---- */

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

static void spawning(void)
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

/* ---- system, popen ---- */

static void streams(void)
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

/* ---- listing ---- */

static int seen;

static int on_entry(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)path;
    seen += 1 + kind * 100 + at->level * 10000 + (S_ISDIR(status->st_mode) ? 1000000 : 0);
    return 0;
}

static int on_old_entry(const char *path, const struct stat *status, int kind)
{
    (void)path;
    seen += 1 + kind * 100 + (S_ISDIR(status->st_mode) ? 1000000 : 0);
    return 0;
}

static int on_error(const char *path, int error)
{
    printf("  glob: %s %s\n", strrchr(path, '/'), strerrorname_np(error));
    return 0;
}

static int hidden(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static void listing(void)
{
    char path[128], target[128];
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/d%d", folder, i);
        SHOW(mkdir(path, 0700));
        snprintf(target, sizeof target, "%s/d%d/file.txt", folder, i);
        close(open(target, O_CREAT | O_WRONLY, 0600));
        snprintf(path, sizeof path, "%s/link%d", folder, i);
        SHOW(symlink(target, path));
    }
    seen = 0;
    SHOW(nftw(folder, on_entry, 4, FTW_PHYS));
    printf("nftw: %d\n", seen);
    seen = 0;
    SHOW(nftw(folder, on_entry, 4, FTW_CHDIR | FTW_DEPTH));
    printf("nftw: %d\n", seen);
    seen = 0;
    SHOW(ftw(folder, on_old_entry, 4));
    printf("ftw: %d\n", seen);
    SHOW(nftw("/nonexistent", on_entry, 4, 0));
    glob_t found;
    snprintf(path, sizeof path, "%s/*/*.txt", folder);
    printf("glob: %d", glob(path, 0, on_error, &found));
    printf(" %zu\n", found.gl_pathc);
    globfree(&found);
    snprintf(path, sizeof path, "%s/nothing*", folder);
    printf("glob: %d\n", glob(path, GLOB_ERR, on_error, &found));
    printf("glob: %d",
           glob("/usr/b[i]n/../../et[c]/pass*d", GLOB_BRACE | GLOB_TILDE, NULL, &found));
    printf(" %zu\n", found.gl_pathc);
    globfree(&found);
    struct dirent **names;
    int count = scandir(folder, &names, hidden, alphasort);
    printf("scandir: %d %s\n", count, count > 0 ? names[0]->d_name : "");
    SHOW(scandir("/nonexistent", &names, NULL, NULL));
    SHOW_POINTER(opendir("/etc/passwd"));
    SHOW_POINTER(opendir(""));
    char *roots[] = {folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    int entries = 0;
    while (tree && fts_read(tree)) entries++;
    if (tree) fts_close(tree);
    printf("fts: %d\n", entries);
    wordexp_t words;
    snprintf(path, sizeof path, "%s/d[0-2]/* $((1 + 2)) $(echo word)", folder);
    printf("wordexp: %d", wordexp(path, &words, 0));
    printf(" %zu %s\n", words.we_wordc, words.we_wordv[words.we_wordc - 1]);
    wordfree(&words);
    printf("wordexp: %d\n", wordexp("`echo`", &words, WRDE_NOCMD));
    snprintf(path, sizeof path, "rm -r %s", folder);
    system(path);
}

/* ---- files, and how they fail ---- */

static void files(void)
{
    char path[PATH_MAX], other[PATH_MAX],
        *memory = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const char *bad = memory;
    struct stat status;
    umask(027);
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    int fd = open(path, O_CREAT | O_RDWR, 0666);
    printf("open: %s, mode %o\n", fd >= 0 ? "done" : "failed",
           fstat(fd, &status) == 0 ? status.st_mode & 07777 : 0);
    close(fd);
    SHOW(open(path, O_CREAT | O_EXCL, 0600));
    SHOW(open(path, O_DIRECTORY));
    SHOW(open(folder, O_WRONLY));
    SHOW(open(folder, O_CREAT, 0600));
    SHOW(open(folder, O_RDONLY | O_TRUNC));
    SHOW(open("", O_RDONLY));
    SHOW(open("", O_CREAT, 0600));
    SHOW(open((char *)1, O_RDONLY));
    SHOW(open(bad, O_CREAT | O_WRONLY, 0600));
    SHOW(open(NULL, O_RDONLY));
    SHOW(openat(999, "x", O_RDONLY));
    SHOW(openat(999, "x", O_CREAT, 0600));
    SHOW(openat(0, "x", O_CREAT, 0600));
    SHOW(openat(999, path, O_RDWR | O_CREAT, 0600));
    SHOW(open("/etc/passwd/x", O_RDONLY));
    SHOW(open("/etc/passwd/x", O_CREAT | O_WRONLY, 0600));
    SHOW(open("/nonexistent/x", O_CREAT | O_WRONLY, 0600));
    SHOW(open("/proc/self/no-such", O_CREAT | O_WRONLY, 0600));
    SHOW(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600));
    SHOW(open("/dev/stdout", O_WRONLY | O_CREAT | O_APPEND, 0600));
    SHOW(open("/dev/fd/1", O_WRONLY));
    SHOW(open("/dev/fd/77", O_WRONLY));
    char longer[NAME_MAX + 100];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    SHOW(open(longer, O_CREAT | O_WRONLY, 0600));
    SHOW(open(longer, O_RDONLY));
    SHOW(symlink("loop", other));
    SHOW(unlink(other));
    SHOW(symlink(other, other));
    SHOW(open(other, O_RDONLY));
    SHOW(open(other, O_CREAT | O_WRONLY, 0600));
    SHOW(open(other, O_NOFOLLOW | O_RDONLY));
    SHOW(open(other, O_NOFOLLOW | O_PATH));
    SHOW(unlink(other));
    char made[PATH_MAX];
    snprintf(made, sizeof made, "%s/made", folder);
    SHOW(symlink("made", other));
    SHOW(open(other, O_CREAT | O_EXCL | O_WRONLY, 0600));
    SHOW(open(other, O_CREAT | O_WRONLY, 0600));
    SHOW(access(made, F_OK));
    SHOW(rename(path, bad));
    SHOW(rename(bad, path));
    SHOW(rename(made, "/nonexistent/x"));
    SHOW(rename(folder, path));
    SHOW(link(path, made));
    SHOW(link(folder, other));
    SHOW(unlink(folder));
    SHOW(rmdir(path));
    SHOW(rmdir(folder));
    SHOW(rmdir("/tmp/."));
    SHOW(rmdir("."));
    SHOW(rmdir("/"));
    SHOW(mkdir(folder, 0700));
    SHOW(mkdir("/", 0700));
    SHOW(mkdir(bad, 0700));
    SHOW(mkdir("", 0700));
    SHOW(remove(other));
    SHOW(unlink(""));
    SHOW(unlink(bad));
    SHOW(unlink("/tmp/"));
    SHOW(unlinkat(AT_FDCWD, path, AT_REMOVEDIR));
    SHOW(unlinkat(AT_FDCWD, path, 0x4000000));
    SHOW(truncate(made, 10));
    SHOW(truncate(folder, 10));
    SHOW(truncate(bad, 10));
    SHOW(truncate(made, -1));
    SHOW(chmod(made, 0400));
    SHOW(chmod(bad, 0400));
    SHOW(chmod("/nonexistent", 0400));
    SHOW(fchmodat(AT_FDCWD, made, 0600, AT_SYMLINK_NOFOLLOW));
    SHOW(fchmodat(AT_FDCWD, made, 0600, 0x4000000));
    SHOW(chown(made, (uid_t)-1, (gid_t)-1));
    SHOW(fchownat(AT_FDCWD, "", (uid_t)-1, (gid_t)-1, AT_EMPTY_PATH));
    struct timespec times[2] = {{1000000000, 5}, {1000000001, 6}};
    SHOW(utimensat(AT_FDCWD, made, times, 0));
    SHOW(utimensat(AT_FDCWD, made, times, AT_SYMLINK_NOFOLLOW));
    SHOW(stat(made, &status));
    printf("times: %ld %ld\n", (long)status.st_atime, (long)status.st_mtime);
    SHOW(setxattr(made, "user.x", "value", 5, 0));
    SHOW(getxattr(made, "user.x", other, 64));
    SHOW(getxattr(made, "user.y", other, 64));
    SHOW(listxattr(made, NULL, 0));
    SHOW(lremovexattr(made, "user.x"));
    SHOW(readlink(made, other, sizeof other));
    SHOW(readlink(bad, other, sizeof other));
    SHOW(mknod(made, S_IFIFO | 0600, 0));
    SHOW(unlink(made));
    SHOW(mkfifo(made, 0600));
    SHOW(open(made, O_WRONLY | O_NONBLOCK));
    SHOW(open(made, O_WRONLY | O_NONBLOCK | O_CREAT, 0600));
    SHOW(open(made, O_RDWR | O_CREAT | O_TRUNC, 0600));
    SHOW(unlink(made));
    SHOW(open(folder, O_TMPFILE | O_RDWR, 0600));
    SHOW(open(path, O_TMPFILE | O_RDWR, 0600));
    SHOW(open(folder, O_TMPFILE | O_RDONLY, 0600));
    SHOW(unlink(path));
}

/* ---- fds that take the place of the standard ones ---- */

static void standing_in(void)
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

/* A lock of fcntl goes when any fd of its file is closed. */
static void locks(void)
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

/* ---- stdio ---- */

static void stdio(void)
{
    static const char *const modes[] = {"r",           "w",  "a",  "r+", "w+",
                                        "a+",          "rb", "wx", "we", "wm",
                                        "w,ccs=UTF-8", "",   "q",  "rw", "a,ccs=nonsense"};
    char path[128], line[64] = "";
    snprintf(path, sizeof path, "%s/stream", folder);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        errno = 0;
        FILE *stream = fopen(path, modes[i]);
        printf("%s: %s", modes[i], stream ? "opened" : strerrorname_np(errno));
        if (stream) {
            int flags = fcntl(fileno(stream), F_GETFL), close_on = fcntl(fileno(stream), F_GETFD);
            printf(" %o %d at %ld", flags, close_on, ftell(stream));
            printf(" put %d", fputs("line\n", stream) >= 0 ? 1 : errno);
            clearerr(stream);
            rewind(stream);
            printf(" get %d", fgets(line, sizeof line, stream) ? 1 : errno);
            printf(" closed %d", fclose(stream));
        }
        printf("\n");
    }
    SHOW_POINTER(fopen("/nonexistent/x", "w"));
    SHOW_POINTER(fopen(folder, "w"));
    SHOW_POINTER(fopen(folder, "r"));
    FILE *stream = fopen(path, "w+");
    stream = freopen(path, "a", stream);
    printf("freopen: %d\n", stream ? fputs("more", stream) >= 0 : -1);
    stream = freopen(NULL, "r", stream);
    printf("freopen NULL: %s\n", stream ? "done" : strerrorname_np(errno));
    if (stream) printf("%s\n", fgets(line, sizeof line, stream) ? line : "nothing");
    if (stream) stream = freopen("/nonexistent/x", "r", stream);
    printf("freopen nowhere: %s\n", stream ? "done" : strerrorname_np(errno));
    int before = dup(0);
    stream = freopen("/etc/passwd", "r", stdin);
    printf("stdin: %d, keeps its number %d\n", stream == stdin, stream ? fileno(stream) : -1);
    dup2(before, 0);
    FILE *nameless = tmpfile();
    printf("tmpfile: %d", nameless != NULL);
    if (nameless) printf(" %o %d\n", fcntl(fileno(nameless), F_GETFL), fclose(nameless));
    char template[128];
    snprintf(template, sizeof template, "%s/XXXXXX", folder);
    int fd = mkstemp(template);
    printf("mkstemp: %o %s %d\n", fcntl(fd, F_GETFL),
           strstr(template, "XXXXXX") ? "same" : "filled", unlink(template));
    snprintf(template, sizeof template, "%s/XXXXXX.txt", folder);
    fd = mkostemps(template, 4, O_CLOEXEC | O_APPEND);
    printf("mkostemps: %o %d\n", fcntl(fd, F_GETFL), unlink(template));
    snprintf(template, sizeof template, "%s/XXXXX", folder);
    SHOW(mkstemp(template));
    SHOW_POINTER(mkdtemp(template));
    snprintf(template, sizeof template, "/nonexistent/XXXXXX");
    SHOW(mkstemp(template));
    unlink(path);
}

/* ---- sockets ---- */

static void sockets(void)
{
    char buffer[64] = "datagram",
         *memory = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sockaddr *bad = (struct sockaddr *)(void *)memory;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, here;
    socklen_t size = sizeof here;
    int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(bind(server, (struct sockaddr *)&any, sizeof any));
    SHOW(listen(server, 5));
    SHOW(getsockname(server, (struct sockaddr *)&here, &size));
    SHOW(connect(client, bad, sizeof here));
    SHOW(connect(client, NULL, 0));
    SHOW(connect(client, (struct sockaddr *)&here, 3));
    SHOW(connect(client, (struct sockaddr *)&here, 0));
    SHOW(connect(client, (struct sockaddr *)&here, 4096));
    SHOW(connect(client, (struct sockaddr *)&here, (socklen_t)-1));
    SHOW(connect(999, (struct sockaddr *)&here, sizeof here));
    SHOW(connect(0, (struct sockaddr *)&here, sizeof here));
    SHOW(bind(client, bad, sizeof here));
    SHOW(bind(client, (struct sockaddr *)&here, sizeof here));
    SHOW(connect(client, (struct sockaddr *)&here, sizeof here));
    SHOW(connect(client, (struct sockaddr *)&here, sizeof here));
    int accepted = accept(server, NULL, NULL);
    SHOW(send(client, "hello", 5, 0));
    SHOW(recv(accepted, buffer, sizeof buffer, 0));
    SHOW(sendto(client, "hello", 5, 0, (struct sockaddr *)&here, sizeof here));
    SHOW(send(client, memory, 5, 0));
    SHOW(sendto(client, "hello", 5, 0, bad, sizeof here));
    struct iovec vectors[2] = {{buffer, 3}, {buffer + 3, 3}};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = 2};
    SHOW(sendmsg(client, &message, 0));
    SHOW(sendmsg(client, NULL, 0));
    SHOW(sendmsg(client, (struct msghdr *)(void *)memory, 0));
    message.msg_iovlen = 100000;
    SHOW(sendmsg(client, &message, 0));
    message.msg_iov = NULL;
    message.msg_iovlen = 1;
    SHOW(sendmsg(client, &message, 0));
    message.msg_iov = vectors;
    message.msg_iovlen = 2;
    message.msg_control = memory;
    message.msg_controllen = 32;
    SHOW(sendmsg(client, &message, 0));
    message.msg_control = NULL;
    message.msg_controllen = 0;
    signal(SIGPIPE, SIG_IGN);
    close(accepted);
    usleep(20000);
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    SHOW(shutdown(client, SHUT_RDWR));
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    close(client);
    close(server);

    int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(bind(one, (struct sockaddr *)&any, sizeof any));
    size = sizeof here;
    getsockname(one, (struct sockaddr *)&here, &size);
    SHOW(sendto(two, "12345", 5, 0, (struct sockaddr *)&here, sizeof here));
    SHOW(sendto(two, "12345", 5, 0, NULL, 0));
    SHOW(sendto(two, "12345", 5, 0, (struct sockaddr *)&here, 2));
    SHOW(sendto(two, NULL, 0, 0, (struct sockaddr *)&here, sizeof here));
    struct mmsghdr several[3] = {
        {.msg_hdr =
             {.msg_name = &here, .msg_namelen = sizeof here, .msg_iov = vectors, .msg_iovlen = 2}},
        {.msg_hdr =
             {.msg_name = &here, .msg_namelen = sizeof here, .msg_iov = vectors, .msg_iovlen = 1}},
        {.msg_hdr = {.msg_name = &here, .msg_namelen = 3, .msg_iov = vectors, .msg_iovlen = 1}},
    };
    int sent = sendmmsg(two, several, 3, 0);
    printf("sendmmsg: %d, lengths %u %u\n", sent, several[0].msg_len, several[1].msg_len);
    SHOW(sendmmsg(two, several + 2, 1, 0));
    printf("sendmmsg of none: %d\n", sendmmsg(two, several, 0, 0));
    for (int i = 0; i < 4; i++)
        printf("recv: %zd\n", recv(one, buffer, sizeof buffer, MSG_DONTWAIT));
    SHOW(connect(two, (struct sockaddr *)&here, sizeof here));
    SHOW(send(two, "x", 1, 0));
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    SHOW(connect(two, &none, sizeof none));
    SHOW(send(two, "x", 1, 0));
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = here.sin_port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    SHOW(connect(two, (struct sockaddr *)&six, sizeof six));
    close(one);
    close(two);

    int pair[2];
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr passing = {.msg_iov = vectors,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&passing);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int passed = open("/etc/passwd", O_RDONLY);
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
    SHOW(sendmsg(pair[0], &passing, 0));
    memset(&control, 0, sizeof control);
    SHOW(recvmsg(pair[1], &passing, 0));
    header = CMSG_FIRSTHDR(&passing);
    int received = -1;
    if (header) memcpy(&received, CMSG_DATA(header), sizeof received);
    SHOW(read(received, buffer, sizeof buffer));
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    snprintf(local.sun_path, sizeof local.sun_path, "%s/socket", folder);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(bind(listener, (struct sockaddr *)&local, sizeof local));
    SHOW(bind(listener, (struct sockaddr *)&local, sizeof local));
    SHOW(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&local, sizeof local));
    SHOW(listen(listener, 1));
    SHOW(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&local, sizeof local));
    unlink(local.sun_path);
    struct sockaddr_un abstract = {.sun_family = AF_UNIX};
    memcpy(abstract.sun_path, "\0function-shield-acts", 21);
    SHOW(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&abstract,
              sizeof(sa_family_t) + 21));
    SHOW(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_UDP));
    SHOW(socket(999, SOCK_STREAM, 0));
    SHOW(socket(AF_INET, 99, 0));
    SHOW(setsockopt(999, SOL_SOCKET, SO_REUSEADDR, "", 1));
    SHOW(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, memory, 4));
}

/* ---- lookups ---- */

static void names(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    printf("numeric: %d", getaddrinfo("127.0.0.1", "80", &hints, &found));
    printf(" %d %s\n", found->ai_family, found->ai_canonname ? found->ai_canonname : "-");
    freeaddrinfo(found);
    printf("localhost: %d", getaddrinfo("localhost", "http", &hints, &found));
    int count = 0;
    for (struct addrinfo *at = found; at; at = at->ai_next) count++;
    printf(" %d\n", count);
    freeaddrinfo(found);
    printf("nothing: %d\n", getaddrinfo(NULL, NULL, &hints, &found));
    printf("passive: %d\n", getaddrinfo(NULL, "80", &hints, &found));
    freeaddrinfo(found);
    hints.ai_flags = AI_NUMERICHOST;
    printf("not numeric: %d\n", getaddrinfo("localhost", "80", &hints, &found));
    hints.ai_flags = 0x40000000;
    printf("bad flags: %d\n", getaddrinfo("localhost", "80", &hints, &found));
    hints.ai_flags = 0;
    hints.ai_family = 999;
    printf("bad family: %d\n", getaddrinfo("localhost", "80", &hints, &found));
    hints.ai_family = 0;
    printf("bad service: %d\n", getaddrinfo("localhost", "no-such-service", &hints, &found));
    hints.ai_flags = AI_CANONNAME;
    printf("canonical: %d", getaddrinfo("localhost", NULL, &hints, &found));
    printf(" %s\n", found->ai_canonname);
    freeaddrinfo(found);
    struct hostent *host = gethostbyname("127.0.0.1");
    printf("gethostbyname: %s\n", host ? host->h_name : hstrerror(h_errno));
    host = gethostbyname("localhost");
    printf("gethostbyname: %s\n", host ? host->h_name : hstrerror(h_errno));
    host = gethostbyname2("::1", AF_INET6);
    printf("gethostbyname2: %d\n", host ? host->h_length : -h_errno);
    struct in_addr address = {htonl(INADDR_LOOPBACK)};
    host = gethostbyaddr(&address, sizeof address, AF_INET);
    printf("gethostbyaddr: %s\n", host ? host->h_name : hstrerror(h_errno));
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = address};
    char name[NI_MAXHOST], service[NI_MAXSERV];
    printf("getnameinfo: %d %s",
           getnameinfo((struct sockaddr *)&in, sizeof in, name, sizeof name, service,
                       sizeof service, 0),
           "");
    printf("%s %s\n", name, service);
    printf("getnameinfo: %d\n",
           getnameinfo((struct sockaddr *)&in, 3, name, sizeof name, NULL, 0, 0));
    printf("getnameinfo: %d\n",
           getnameinfo((struct sockaddr *)&in, sizeof in, name, 3, NULL, 0, NI_NUMERICHOST));
}

/* ---- symbols ---- */

static void symbols(void)
{
    static const char *const wanted[] = {"open",  "connect", "close",          "malloc",
                                         "dlsym", "fork",    "no_such_symbol", "_Fork"};
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), *self = dlopen(NULL, RTLD_LAZY);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        printf("%s: %d %d %d %d\n", wanted[i], dlsym(RTLD_DEFAULT, wanted[i]) != NULL,
               dlsym(RTLD_NEXT, wanted[i]) != NULL, dlsym(libc, wanted[i]) != NULL,
               dlsym(self, wanted[i]) != NULL);
    dlerror();
    dlsym(libc, "no_such_symbol");
    char *error = dlerror();
    printf("%s\n", error ? strchr(error, ':') : "no error");
    printf("%s\n", dlopen("/nonexistent/lib.so", RTLD_NOW) ? "loaded" : dlerror());
    printf("same: %d %d\n", dlsym(libc, "open") == dlsym(RTLD_DEFAULT, "open"),
           dlsym(self, "open") == (void *)open);
    printf("versioned: %d %d\n",
           dlvsym(libc, "connect", "GLIBC_2.2.5") != NULL ||
               dlvsym(libc, "connect", "GLIBC_2.17") != NULL,
           dlvsym(libc, "connect", "NONE") != NULL);
    int (*opener)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(libc, "open");
    printf("called: %d\n", opener("/etc/passwd", O_RDONLY) >= 0);
    printf("LD_PRELOAD: %s\n", getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "-");
    fflush(stdout);
    system("echo in a child: ${LD_PRELOAD--} ${FUNCTION_SHIELD_STATE--}");
}

/* ---- raw calls through libc's syscall, clone, vfork ---- */

static int cloned(void *argument)
{
    *(volatile int *)argument = 5;
    return 6;
}

static void raw(void)
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

static void executing(void)
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

/* ---- fds ---- */

static void limits(void)
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

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*act)(void);
    } acts[] = {
        {"threads", threads},   {"smallest_stack", smallest_stack},
        {"closing", closing},   {"daemonise", daemonise},
        {"signals", signals},   {"forking", forking},
        {"spawning", spawning}, {"streams", streams},
        {"listing", listing},   {"files", files},
        {"stdio", stdio},       {"standing_in", standing_in},
        {"locks", locks},       {"sockets", sockets},
        {"names", names},       {"symbols", symbols},
        {"raw", raw},           {"executing", executing},
        {"limits", limits},
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (mkdtemp(folder) == NULL) return 1;
    for (size_t i = 0; argc > 1 && i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(argv[1], acts[i].name) != 0) continue;
        alarm(60);
        acts[i].act();
        fflush(stdout);
        rmdir(folder);
        return 0;
    }
    rmdir(folder);
    for (size_t i = 0; argc == 1 && i < sizeof acts / sizeof *acts; i++) puts(acts[i].name);
    return argc == 1 ? 0 : 2;
}
