/* Performs one act, with a fault inside the core: "acts HANDLER AT SIGNAL ACT [ARGUMENT…]".
 *
 * HANDLER: "none"; "name" (the program's own handler prints the place of the fault, and then the
 * program dies as it would have); "jump" (the handler leaves the door by siglongjmp, the program
 * tries again, and then makes a folder under /tmp). AT: the index of the function of the
 * core that faults; 0: none. Prints the act's result and errno, and how many functions of the core
 * it entered. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define OTHER "/tmp/function-shield-test-faults"

extern char **environ;
extern void faults_begin(unsigned at, int signal) __attribute__((weak));
extern unsigned faults_end(void) __attribute__((weak));

static sigjmp_buf outside;
static unsigned fault_at;
static int fault_signal;

static void begin(void)
{
    if (faults_begin) faults_begin(fault_at, fault_signal);
}

/* The place of a fault, as a crash reporter prints it. */
static void name_place(int number, siginfo_t *information, void *context_)
{
    const ucontext_t *context = context_;
#if defined(__x86_64__)
    const char *place = (const char *)context->uc_mcontext.gregs[REG_RIP];
#else
    const char *place = (const char *)context->uc_mcontext.pc;
#endif
    Dl_info object = {0};
    (void)information;
    if (dladdr(place, &object) && object.dli_fname) {
        const char *name = strrchr(object.dli_fname, '/');
        printf("fault in %s+%#tx\n", name ? name + 1 : object.dli_fname,
               place - (const char *)object.dli_fbase);
        fflush(stdout);
    }
    signal(number, SIG_DFL);
}

static void jump(int number)
{
    (void)number;
    siglongjmp(outside, 1);
}

static struct sockaddr_in address_of(char **words)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(words[1]))};
    inet_pton(AF_INET, words[0], &address.sin_addr);
    return address;
}

static int read_file(const char *path)
{
    char text[256];
    begin();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t size = read(fd, text, sizeof text);
    return size > 0 && write(1, text, (size_t)size) == size ? 0 : -1;
}

static int send_to(char **words)
{
    struct sockaddr_in address = address_of(words);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    begin();
    return sendto(fd, "secret", 6, 0, (struct sockaddr *)&address, sizeof address) < 0 ? -1 : 0;
}

static int connect_to(char **words)
{
    struct sockaddr_in address = address_of(words);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    begin();
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

/* A request for another host than that of the connection's entry. */
static int request(char **words)
{
    static const char text[] = "GET /secret HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(words[0], words[1], &hints, &found) != 0) return -2;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) return -3;
    begin();
    return send(fd, text, sizeof text - 1, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int spawn(char **words)
{
    char *const command[] = {"touch", words[0], NULL};
    pid_t child;
    begin();
    errno = posix_spawn(&child, "/usr/bin/touch", NULL, NULL, command, environ);
    if (errno != 0) return -1;
    waitpid(child, NULL, 0);
    return 0;
}

static int run_shell(char **words)
{
    char command[4096];
    snprintf(command, sizeof command, "touch %s", words[0]);
    begin();
    return system(command) == 0 ? 0 : -1;
}

static int fork_child(char **words)
{
    begin();
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) _exit(mkdir(words[0], 0700) == 0 ? 0 : 1);
    waitpid(child, NULL, 0);
    return 0;
}

/* The child faults. Its parent goes on, and is still guarded. */
static int in_child(char **words)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        begin();
        _exit(mkdir(words[0], 0700) == 0 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    printf("child %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return mkdir(words[0], 0700);
}

static int act(const char *name, char **words)
{
    if (strcmp(name, "create") == 0) {
        begin();
        return open(words[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600) < 0 ? -1 : 0;
    }
    if (strcmp(name, "read") == 0) return read_file(words[0]);
    if (strcmp(name, "rename") == 0) {
        begin();
        return rename(words[0], words[1]);
    }
    if (strcmp(name, "connect") == 0) return connect_to(words);
    if (strcmp(name, "sendto") == 0) return send_to(words);
    if (strcmp(name, "request") == 0) return request(words);
    if (strcmp(name, "spawn") == 0) return spawn(words);
    if (strcmp(name, "system") == 0) return run_shell(words);
    if (strcmp(name, "fork") == 0) return fork_child(words);
    if (strcmp(name, "in_child") == 0) return in_child(words);
    exit(2);
}

int main(int argc, char **argv)
{
    static volatile bool again;
    if (argc < 5) return 2;
    fault_at = (unsigned)atoi(argv[2]);
    fault_signal = atoi(argv[3]);
    close(open("/dev/null", O_RDONLY | O_CLOEXEC)); /* starts the guard */
    struct sigaction action = {.sa_flags = SA_NODEFER};
    if (strcmp(argv[1], "name") == 0) {
        action.sa_flags |= SA_SIGINFO;
        action.sa_sigaction = name_place;
        sigaction(fault_signal, &action, NULL);
    } else if (strcmp(argv[1], "jump") == 0) {
        action.sa_handler = jump;
        sigaction(fault_signal, &action, NULL);
    }
    if (sigsetjmp(outside, 1) != 0) {
        again = true;
        fault_at = 0;
    }
    int result = act(argv[4], argv + 5), error = errno;
    if (again) mkdir(OTHER, 0700);
    unsigned count = faults_end ? faults_end() : 0;
    printf("%s%d %d %u\n", again ? "again " : "", result, result < 0 ? error : 0, count);
    return 0;
}
