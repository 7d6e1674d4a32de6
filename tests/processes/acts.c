/* Starts a process in the way with this name: acts ACT PROGRAM. Prints the result: "ran STATUS"
 * or "refused ERRNO". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

extern char **environ;

static char stack[1 << 16] __attribute__((aligned(16)));
static char *bare[] = {"PATH=/usr/bin:/bin", NULL};

static int refused(int error)
{
    printf("refused %d\n", error);
    return 1;
}

static int waits(pid_t pid)
{
    int status;
    if (pid < 0) return refused(errno);
    if (waitpid(pid, &status, 0) != pid) return refused(errno);
    printf("ran %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}

static int in_child(void *unused)
{
    (void)unused;
    _exit(7);
}

static int spawned(int error, pid_t pid) { return error ? refused(error) : waits(pid); }

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc < 3) return 2;
    const char *act = argv[1], *path = argv[2];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char **rest = argv + 2;
    pid_t pid = -1;
#define ACT(word) if (strcmp(act, word) == 0)
    ACT("fork")
    {
        pid = fork();
        if (pid == 0) _exit(7);
        return waits(pid);
    }
    ACT("vfork")
    {
        pid = vfork();
        if (pid == 0) _exit(7);
        return waits(pid);
    }
    ACT("_Fork")
    {
        pid = _Fork();
        if (pid == 0) _exit(7);
        return waits(pid);
    }
    ACT("clone") { return waits(clone(in_child, stack + sizeof stack, SIGCHLD, NULL)); }
    ACT("clone-vm")
    {
        return waits(clone(in_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
    }
    ACT("clone-files")
    {
        return waits(clone(in_child, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL));
    }
    ACT("syscall-clone-vm")
    {
        pid = (pid_t)syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) _exit(7);
        return waits(pid);
    }
    ACT("syscall-clone")
    {
        pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) _exit(7);
        return waits(pid);
    }
    ACT("syscall-clone-high")
    {
        pid = (pid_t)syscall((long)(SYS_clone | 0x7f00000000), SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) _exit(7);
        return waits(pid);
    }
    ACT("syscall-clone3")
    {
        unsigned long arguments[8] = {[4] = SIGCHLD};
        pid = (pid_t)syscall(SYS_clone3, arguments, sizeof arguments);
        if (pid == 0) _exit(7);
        return waits(pid);
    }
#ifdef SYS_fork
    ACT("syscall-fork")
    {
        pid = (pid_t)syscall(SYS_fork);
        if (pid == 0) _exit(7);
        return waits(pid);
    }
    ACT("syscall-vfork")
    {
        pid = (pid_t)syscall(SYS_vfork);
        if (pid == 0) _exit(7);
        return waits(pid);
    }
#endif
    ACT("forkpty")
    {
        int fd;
        pid = forkpty(&fd, NULL, NULL, NULL);
        if (pid == 0) _exit(7);
        return waits(pid);
    }
    ACT("daemon")
    {
        /* The child goes on. This process's parent sees its output. */
        return daemon(1, 1) < 0 ? refused(errno) : (printf("ran 0\n"), 0);
    }
    ACT("execve")
    {
        execve(path, rest, environ);
        return refused(errno);
    }
    ACT("execve-bare")
    {
        execve(path, rest, bare);
        return refused(errno);
    }
    ACT("execve-null")
    {
        execve(path, rest, NULL);
        return refused(errno);
    }
    ACT("execv")
    {
        execv(path, rest);
        return refused(errno);
    }
    ACT("execvp")
    {
        execvp(name, rest);
        return refused(errno);
    }
    ACT("execvpe")
    {
        execvpe(name, rest, bare);
        return refused(errno);
    }
    ACT("execl")
    {
        execl(path, path, argv[3], (char *)NULL);
        return refused(errno);
    }
    ACT("execlp")
    {
        execlp(name, name, argv[3], (char *)NULL);
        return refused(errno);
    }
    ACT("execle")
    {
        execle(path, path, argv[3], (char *)NULL, bare);
        return refused(errno);
    }
    ACT("fexecve")
    {
        fexecve(open(path, O_RDONLY | O_CLOEXEC), rest, environ);
        return refused(errno);
    }
    ACT("execveat")
    {
        execveat(AT_FDCWD, path, rest, environ, 0);
        return refused(errno);
    }
    ACT("execveat-folder")
    {
        char folder[4096];
        snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1,
                 slash ? path : ".");
        execveat(open(folder, O_PATH | O_DIRECTORY), name, rest, environ, 0);
        return refused(errno);
    }
    ACT("syscall-execve")
    {
        syscall(SYS_execve, path, rest, environ);
        return refused(errno);
    }
    ACT("syscall-execveat")
    {
        syscall(SYS_execveat, open(path, O_PATH), "", rest, environ, AT_EMPTY_PATH);
        return refused(errno);
    }
    ACT("relative")
    {
        if (chdir("/usr/bin") != 0) return 2;
        execve(name, rest, environ);
        return refused(errno);
    }
    ACT("proc-root")
    {
        char by[4096];
        snprintf(by, sizeof by, "/proc/self/root%s", path);
        execve(by, rest, environ);
        return refused(errno);
    }
    ACT("posix_spawn")
    {
        int error = posix_spawn(&pid, path, NULL, NULL, rest, environ);
        return spawned(error, pid);
    }
    ACT("posix_spawn-errno")
    {
        errno = 0;
        int error = posix_spawn(&pid, path, NULL, NULL, rest, environ);
        if (error != 0) return refused(errno);
        return spawned(error, pid);
    }
    ACT("posix_spawn-bare")
    {
        int error = posix_spawn(&pid, path, NULL, NULL, rest, bare);
        return spawned(error, pid);
    }
    ACT("posix_spawnp")
    {
        int error = posix_spawnp(&pid, name, NULL, NULL, rest, environ);
        return spawned(error, pid);
    }
    ACT("posix_spawn-folder")
    {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addchdir_np(&actions, "/usr/bin");
        int error = posix_spawn(&pid, name, &actions, NULL, rest, environ);
        return spawned(error, pid);
    }
    ACT("posix_spawn-closefrom")
    {
        posix_spawn_file_actions_t actions;
        int kept = open("/dev/null", O_RDONLY);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addclosefrom_np(&actions, kept);
        int error = posix_spawn(&pid, path, &actions, NULL, rest, environ);
        return spawned(error, pid);
    }
    if (strcmp(act, "posix_spawn-close-all") == 0 || strcmp(act, "posix_spawn-replace-all") == 0) {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        for (int fd = 850; fd < 1020; fd++) {
            if (strcmp(act, "posix_spawn-close-all") == 0)
                posix_spawn_file_actions_addclose(&actions, fd);
            else
                posix_spawn_file_actions_adddup2(&actions, 1, fd);
        }
        int error = posix_spawn(&pid, path, &actions, NULL, rest, environ);
        return spawned(error, pid);
    }
    ACT("posix_spawn-open")
    {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 1, argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
        char *only[] = {argv[2], NULL};
        int error = posix_spawn(&pid, path, &actions, NULL, only, environ);
        return spawned(error, pid);
    }
    ACT("system")
    {
        int status = system(path);
        if (status == -1) return refused(errno);
        printf("ran %d\n", WEXITSTATUS(status));
        return 0;
    }
    ACT("popen")
    {
        char line[256];
        FILE *stream = popen(path, "re");
        if (!stream) return refused(errno);
        while (fgets(line, sizeof line, stream)) fputs(line, stdout);
        int status = pclose(stream);
        printf("ran %d\n", WEXITSTATUS(status));
        return 0;
    }
    ACT("popen-write")
    {
        FILE *stream = popen("/bin/cat", "w");
        if (!stream) return refused(errno);
        fputs("through cat\n", stream);
        int status = pclose(stream);
        printf("ran %d\n", WEXITSTATUS(status));
        return 0;
    }
    ACT("popen-two")
    {
        /* The second shell must not keep the first one's pipe open. */
        FILE *first = popen("/bin/cat", "w"), *second = popen("/bin/cat", "w");
        if (!first || !second) return refused(errno);
        int status = pclose(first);
        status |= pclose(second);
        printf("ran %d\n", status);
        return 0;
    }
    ACT("wordexp")
    {
        wordexp_t words;
        char line[4096];
        snprintf(line, sizeof line, "$(%s)", path);
        int error = wordexp(line, &words, 0);
        if (error) return refused(error == WRDE_CMDSUB ? EACCES : error);
        printf("%s\nran 0\n", words.we_wordc ? words.we_wordv[0] : "");
        return 0;
    }
    ACT("memfd")
    {
        int memory = (int)syscall(SYS_memfd_create, "usr/bin/uname", 0),
            file = open(path, O_RDONLY);
        char buffer[65536];
        ssize_t size;
        while ((size = read(file, buffer, sizeof buffer)) > 0)
            if (write(memory, buffer, (size_t)size) != size) return 2;
        fexecve(memory, rest, environ);
        return refused(errno);
    }
    ACT("ptrace")
    {
        return ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ? (printf("ran 0\n"), 0) : refused(errno);
    }
    ACT("syscall-ptrace")
    {
        return syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == 0 ? (printf("ran 0\n"), 0)
                                                                 : refused(errno);
    }
    ACT("process_vm_writev")
    {
        char from[] = "yes", to[] = "no!";
        struct iovec local = {from, 4}, remote = {to, 4};
        return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == 4 ? (printf("ran 0\n"), 0)
                                                                          : refused(errno);
    }
    ACT("unshare") { return unshare(CLONE_FS) == 0 ? (printf("ran 0\n"), 0) : refused(errno); }
    ACT("mount")
    {
        return mount("none", "/nowhere", "tmpfs", 0, NULL) == 0 ? (printf("ran 0\n"), 0)
                                                                : refused(errno);
    }
    ACT("chroot") { return chroot("/") == 0 ? (printf("ran 0\n"), 0) : refused(errno); }
    ACT("io_uring")
    {
        char parameters[120] = {0};
        return syscall(SYS_io_uring_setup, 1, parameters) >= 0 ? (printf("ran 0\n"), 0)
                                                               : refused(errno);
    }
    ACT("pidfd_getfd")
    {
        int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
        return syscall(SYS_pidfd_getfd, self, 1, 0) >= 0 ? (printf("ran 0\n"), 0) : refused(errno);
    }
    return 2;
}
