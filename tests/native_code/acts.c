/* A library that makes memory executable in each possible way. act(NAME) returns 0, or errno. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIZE = 8192 };

static int is(const char *name, const char *other) { return strcmp(name, other) == 0; }
static int failed(int yes) { return yes ? errno : 0; }

static void *plain(void)
{
    return mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *own(int protection)
{
    int fd = open(getenv("ACTS_LIBRARY"), O_RDONLY);
    return mmap(NULL, SIZE, protection, MAP_PRIVATE, fd, 0);
}

int act(const char *name)
{
    char *memory;
    if (is(name, "mmap"))
        return failed(mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                      MAP_FAILED);
    if (is(name, "mmap written"))
        return failed(mmap(NULL, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    if (is(name, "mmap file written"))
        return failed(own(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED);
    if (is(name, "mmap file")) return failed(own(PROT_READ | PROT_EXEC) == MAP_FAILED);
    if (is(name, "mprotect")) return failed(mprotect(plain(), SIZE, PROT_READ | PROT_EXEC) != 0);
    if (is(name, "pkey_mprotect"))
        return failed(pkey_mprotect(plain(), SIZE, PROT_READ | PROT_EXEC, -1) != 0);
    if (is(name, "syscall"))
        return failed(syscall(SYS_mprotect, plain(), (size_t)SIZE, PROT_READ | PROT_EXEC) != 0);
    if (is(name, "mprotect file"))
        return failed(mprotect(own(PROT_READ), SIZE, PROT_READ | PROT_EXEC) != 0);
    if (is(name, "mprotect file once written")) {
        memory = own(PROT_READ | PROT_WRITE);
        memory[0] = 1;
        mprotect(memory, SIZE, PROT_READ);
        return failed(mprotect(memory, SIZE, PROT_READ | PROT_EXEC) != 0);
    }
    if (is(name, "mprotect beyond a file")) {
        memory = mmap(NULL, 2 * SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int fd = open(getenv("ACTS_LIBRARY"), O_RDONLY);
        mmap(memory, SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
        return failed(mprotect(memory, 2 * SIZE, PROT_READ | PROT_EXEC) != 0);
    }
    if (is(name, "memfd")) return failed(memfd_create("innocent", 0) < 0);
    if (is(name, "memfd by syscall")) return failed(syscall(SYS_memfd_create, "innocent", 0) < 0);
    if (is(name, "personality")) {
        int failure = failed(personality(READ_IMPLIES_EXEC) < 0);
        if (failure == 0) personality(0);
        return failure;
    }
    if (is(name, "personality asked")) return failed(personality(0xffffffff) < 0);
    if (is(name, "shmat")) {
        int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
        void *at = shmat(id, NULL, SHM_EXEC);
        int failure = failed(at == (void *)-1);
        shmctl(id, IPC_RMID, NULL);
        return failure;
    }
    if (is(name, "malloc")) return failed(mprotect(plain(), SIZE, PROT_READ) != 0);
    return -1;
}
