#include "processes/program.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "support/sys.h"
#include "support/text.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#define LOADER  "/lib64/ld-linux-x86-64.so.2"
#else
#define MACHINE EM_AARCH64
#define LOADER  "/lib/ld-linux-aarch64.so.1"
#endif

#define MAX_SEGMENTS 128
#ifndef F_SETSIG
#define F_SETSIG 10
#endif
#ifndef F_SETLEASE
#define F_SETLEASE 1024
#endif

void fs_program_fd_path(int fd, char *buffer)
{
    /* thread-self: a thread may have a table of fds of its own. */
    static const char start[] = "/proc/thread-self/fd/";
    memcpy(buffer, start, sizeof start - 1);
    text_number(buffer + sizeof start - 1, fd < 0 ? 0 : (unsigned)fd);
}

/* The loader by its usual name, or by another name of the same file. */
static bool is_our_loader(const char *path)
{
    if (strcmp(path, LOADER) == 0) return true;
    struct stat ours, theirs;
    if (sys_fstatat(AT_FDCWD, LOADER, &ours, 0) != 0 ||
        sys_fstatat(AT_FDCWD, path, &theirs, 0) != 0)
        return false;
    return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static const char *refuse(struct fs_program *program, int error, const char *sentence)
{
    program->error = error;
    return sentence;
}

static const char *check_elf(int file, const unsigned char *start, long size,
                             struct fs_program *program)
{
    Elf64_Ehdr header;
    if (size < (long)sizeof header)
        return refuse(program, ENOEXEC, "is a truncated program: install it again");
    memcpy(&header, start, sizeof header);
    if (header.e_ident[EI_CLASS] == ELFCLASS32)
        return "is a 32-bit program: the guard cannot be loaded into it; use a 64-bit build";
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != MACHINE)
        return "is built for another processor: the guard cannot be loaded into it; use a build "
               "for this machine";
    if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
        return refuse(program, ENOEXEC, "is an object file, not a program: link it");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
        header.e_phnum > MAX_SEGMENTS ||
        header.e_phoff > LONG_MAX - MAX_SEGMENTS * sizeof(Elf64_Phdr))
        return "has a program header that the guard does not read: link it again with a usual "
               "linker";
    for (unsigned index = 0; index < header.e_phnum; index++) {
        Elf64_Phdr segment;
        if (sys_pread(file, &segment, sizeof segment,
                      (long)(header.e_phoff + index * sizeof segment)) != (long)sizeof segment)
            return refuse(program, ENOEXEC, "is a truncated program: install it again");
        if (segment.p_type != PT_INTERP) continue; /* the kernel takes the first one */
        char loader[PATH_MAX];
        if (segment.p_filesz < 2 || segment.p_filesz > 256 || segment.p_offset > LONG_MAX)
            return "names no readable loader: the guard cannot be loaded into it; use a build for "
                   "this system's glibc";
        long got = sys_pread(file, loader, segment.p_filesz, (long)segment.p_offset);
        if (got != (long)segment.p_filesz || loader[got - 1] != '\0')
            return "names no readable loader: the guard cannot be loaded into it; use a build for "
                   "this system's glibc";
        if (is_our_loader(loader)) return NULL;
        return "asks for another loader than this system's glibc (musl has its own): the guard "
               "cannot be loaded into it; "
               "use a build for glibc";
    }
    return "is statically linked: the guard cannot be loaded into it; use a dynamically linked "
           "build";
}

/* Parses a #! line as the kernel does: one interpreter, and the rest of the line as one argument.
 */
static bool parse_script(const char *start, size_t size, struct fs_program_script *script)
{
    size_t end = 2;
    while (end < size && start[end] != '\n' && start[end] != '\0') end++;
    bool whole = end < size;
    size_t at = 2;
    while (at < end && (start[at] == ' ' || start[at] == '\t')) at++;
    size_t from = at;
    while (at < end && start[at] != ' ' && start[at] != '\t') at++;
    if (at == from || (at == end && !whole)) return false; /* no name, or one that is cut off */
    text_take(script->interpreter, sizeof script->interpreter, start + from, at - from);
    while (at < end && (start[at] == ' ' || start[at] == '\t')) at++;
    while (end > at && (start[end - 1] == ' ' || start[end - 1] == '\t')) end--;
    text_take(script->argument, sizeof script->argument, start + at, end - at);
    return true;
}

const char *fs_program_check_object(int fd, bool hold, struct fs_program *program)
{
    program->fd = -1;
    program->error = 0;
    program->scripts = 0;
    int object = fd;
    for (;;) {
        struct stat status;
        if (sys_fstat(object, &status) != 0 || !S_ISREG(status.st_mode)) {
            if (object != fd) sys_close(object);
            return refuse(program, EACCES, "is not a regular file: name a program");
        }
        char link[48];
        fs_program_fd_path(object, link);
        int file = sys_openat(AT_FDCWD, link, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
        if (object != fd) sys_close(object);
        if (file < 0)
            return "cannot be read, so nobody can tell whether the guard can be loaded into it; "
                   "allow reading it (chmod +r)";
        if (hold) {
            /* A read lease: from here on no process can open the file for writing. The kernel
             * announces a writer by this signal, which is ignored by default. */
            sys_call(SYS_fcntl, file, F_SETSIG, SIGURG);
            if (sys_call(SYS_fcntl, file, F_SETLEASE, F_RDLCK) == -EAGAIN) {
                sys_close(file);
                return refuse(program, ETXTBSY, "is open for writing: close it first");
            }
        }
        if ((status.st_mode & S_ISUID) != 0 ||
            (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)) {
            sys_close(file);
            return "is setuid or setgid: the loader keeps the guard out of it; clear these bits "
                   "(chmod ug-s)";
        }
        if (sys_call(SYS_fgetxattr, file, "security.capability", NULL, 0) >= 0) {
            sys_close(file);
            return "has file capabilities: the loader keeps the guard out of it; remove them "
                   "(setcap -r)";
        }
        unsigned char start[FS_PROGRAM_LINE];
        long size = sys_pread(file, start, sizeof start, 0);
        if (size >= 4 && memcmp(start, ELFMAG, SELFMAG) == 0) {
            program->fd = file;
            return check_elf(file, start, size, program);
        }
        sys_close(file);
        if (size < 2 || start[0] != '#' || start[1] != '!')
            return refuse(program, ENOEXEC,
                          "is neither an ELF program nor a script: give it a #! line");
        if (program->scripts == FS_PROGRAM_DEPTH)
            return refuse(
                program, ELOOP,
                "is a script of a script, more than four deep: name the last interpreter itself");
        struct fs_program_script *script = &program->script[program->scripts];
        if (!parse_script((const char *)start, (size_t)size, script))
            return refuse(program, ENOEXEC, "has a #! line that is empty or too long: shorten it");
        program->scripts++;
        object = sys_openat(AT_FDCWD, script->interpreter, O_PATH | O_CLOEXEC, 0);
        if (object < 0)
            return refuse(program, -object,
                          "is a script whose interpreter cannot be opened: correct its #! line");
        if (sys_call(SYS_faccessat, AT_FDCWD, script->interpreter, 1 /* X_OK */) != 0) {
            sys_close(object);
            return refuse(program, EACCES,
                          "is a script whose interpreter may not be executed: correct its #! line");
        }
    }
}

const char *fs_program_check(const char *path, char *interpreter, size_t size, unsigned *scripts)
{
    int fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
    if (fd == -ENOENT || fd == -ENOTDIR) return "does not exist: correct its name";
    if (fd < 0) return "cannot be opened: allow reaching it (chmod +x on its folders)";
    struct fs_program program;
    const char *sentence = fs_program_check_object(fd, false, &program);
    if (interpreter != NULL && size > 0) {
        char link[48];
        fs_program_fd_path(program.fd >= 0 ? program.fd : fd, link);
        long got = sys_readlinkat(AT_FDCWD, link, interpreter, size - 1);
        interpreter[got > 0 ? got : 0] = '\0';
    }
    if (scripts != NULL) *scripts = program.scripts;
    if (program.fd >= 0) sys_close(program.fd);
    sys_close(fd);
    return sentence;
}
