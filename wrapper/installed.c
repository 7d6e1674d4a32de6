/* The layer as it is installed. See installed.h. */
#include "installed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event.h"
#include "guard/handed_on.h"
#include "support/sys.h"
#include "support/text.h"

#ifndef CORE_SIZE
#error "zig.py gives the size and the checksum of the core that this launcher belongs to"
#endif

char installed_folder[PATH_MAX];

void installed_find(void)
{
    ssize_t size = readlink("/proc/self/exe", installed_folder, sizeof installed_folder - 1);
    if (size <= 0) REFUSE("/proc/self/exe cannot be read: ", strerror(errno));
    installed_folder[size] = '\0';
    *strrchr(installed_folder, '/') = '\0';
    if (installed_folder[0] == '\0')
        REFUSE(
            "the layer lies in the root folder: unzip it into a folder of its own, such as /opt");
    /* The dynamic loader splits LD_PRELOAD at these characters, and expands the dollar. It would
     * only warn, and continue without the guard. */
    for (const char *at = installed_folder; *at; at++)
        if (*at == ' ' || *at == ':' || *at == '$' || *at == STATE_SEPARATOR ||
            (unsigned char)*at < ' ')
            REFUSE("the folder of the layer, ", installed_folder,
                   ", has a space, a colon or a dollar in its name, and the dynamic loader cannot "
                   "preload from there: unzip the layer elsewhere");
    if (strlen(installed_folder) > 900)
        REFUSE("the folder of the layer has too long a name: unzip the layer elsewhere");
}

void installed_join(char *out, size_t size, const char *folder, const char *name)
{
    if (!TEXT_JOIN(out, size, folder, "/", name)) REFUSE("a path is too long: ", folder, "/", name);
}

static uint64_t step(uint64_t hash, uint64_t word)
{
    hash ^= word;
    hash = hash << 29 | hash >> 35;
    return hash * 0x9e3779b97f4a7c15u;
}

/* fs_checksum's steps in four lanes: the whole core in some ten microseconds. */
static uint64_t checksum(const unsigned char *bytes, size_t size)
{
    /* Variables and no array, which would lie in memory between the steps and take five times as
     * long. */
    uint64_t first = 1, second = 2, third = 3, fourth = 4, words[4];
    size_t at = 0;
    for (; at + sizeof words <= size; at += sizeof words) {
        memcpy(words, bytes + at, sizeof words);
        first = step(first, words[0]);
        second = step(second, words[1]);
        third = step(third, words[2]);
        fourth = step(fourth, words[3]);
    }
    for (; at < size; at++) first = step(first, bytes[at]);
    return step(step(step(first, second), third), fourth);
}

/* The loader only warns if it cannot preload. So everything that would make it fail is checked
 * here. */
void installed_check_core(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        REFUSE("the core ", path, " cannot be read: ", strerror(errno), ": attach the layer again");
    struct stat status;
    if (sys_fstat(fd, &status) != 0 || status.st_size != CORE_SIZE)
        REFUSE("the core ", path,
               " is not the one that this launcher belongs to: attach the layer again");
    void *bytes = mmap(NULL, CORE_SIZE, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED || checksum(bytes, CORE_SIZE) != CORE_CHECKSUM)
        REFUSE("the core ", path, " is damaged: attach the layer again");
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    if (code == MAP_FAILED)
        REFUSE("the core ", path, " cannot be run from where it lies (", strerror(errno),
               "): a file system mounted noexec?");
    munmap(code, 4096);
    munmap(bytes, CORE_SIZE);
    close(fd);
}
