/* Makes the calls on standard input, one on each line: "calls CORE". CORE is empty without the
 * guard.
 *
 *     WAY NAME NUMBER RESULT [ARGUMENT…]
 *
 * WAY is "symbol" (the door of this name, whether or not libc has the function) or "number" (by
 * syscall()). RESULT is the type that shows a failure: int, pointer, error. Arguments: i123,
 * s/a/path, b64 (64 zero bytes), a127.0.0.1:80 (a socket address), d/a/path (an fd of the path,
 * for reading), e (an int that the function writes its error to), u (a UDP socket), t (a TCP
 * socket), p (a pointer to the next argument's value). Prints "NAME WAY RESULT ERRNO". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORDS = 14, ARGUMENTS = 8 };

static const char *core;
static int *written;

/* A symbol of the core, by its own table: dlsym hides doors that this libc has no function behind.
 */
static int find_door(struct dl_phdr_info *object, size_t size, void *found_)
{
    struct found {
        const char *name;
        void *address;
    } *found = found_;
    const ElfW(Dyn) *dynamic = NULL;
    const uint32_t *hash = NULL;
    const ElfW(Sym) *symbols = NULL;
    const char *strings = NULL;
    (void)size;
    if (strcmp(object->dlpi_name, core) != 0) return 0;
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
            dynamic = (const void *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        uintptr_t value = dynamic->d_un.d_ptr < object->dlpi_addr
                              ? dynamic->d_un.d_ptr + object->dlpi_addr
                              : dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_GNU_HASH) hash = (const uint32_t *)value;
        if (dynamic->d_tag == DT_SYMTAB) symbols = (const void *)value;
        if (dynamic->d_tag == DT_STRTAB) strings = (const char *)value;
    }
    if (!hash || !symbols || !strings) return 1;
    const uint32_t *buckets = hash + 4 + hash[2] * 2, *chain = buckets + hash[0];
    for (uint32_t bucket = 0; bucket < hash[0]; bucket++) {
        for (uint32_t at = buckets[bucket]; at >= hash[1]; at++) {
            if (strcmp(strings + symbols[at].st_name, found->name) == 0)
                found->address = (void *)(object->dlpi_addr + symbols[at].st_value);
            if (chain[at - hash[1]] & 1) break;
        }
    }
    return 1;
}

static void *function_of(const char *name)
{
    struct {
        const char *name;
        void *address;
    } found = {name, NULL};
    if (*core == '\0') return dlsym(RTLD_DEFAULT, name);
    dl_iterate_phdr(find_door, &found);
    return found.address;
}

static long address_of(char *text)
{
    struct sockaddr_in *address = calloc(1, sizeof *address);
    char *colon = strchr(text, ':');
    *colon = '\0';
    address->sin_family = AF_INET;
    address->sin_port = htons((unsigned short)atoi(colon + 1));
    inet_pton(AF_INET, text, &address->sin_addr);
    return (long)address;
}

static long value_of(char *word)
{
    switch (*word) {
    case 'i': return strtol(word + 1, NULL, 0);
    case 's': return (long)(word + 1);
    case 'b': return (long)calloc(1, (size_t)atoi(word + 1));
    case 'a': return address_of(word + 1);
    case 'd': return open(word + 1, O_RDONLY);
    case 'e': return (long)(written = calloc(1, sizeof *written));
    case 'u': return socket(AF_INET, SOCK_DGRAM, 0);
    case 't': return socket(AF_INET, SOCK_STREAM, 0);
    default: return 0;
    }
}

int main(int count, char **words)
{
    static char line[4096];
    core = count > 1 ? words[1] : "";
    while (fgets(line, sizeof line, stdin)) {
        char *parts[WORDS] = {0}, *rest = line, *word;
        long values[ARGUMENTS] = {0}, result;
        unsigned given = 0, n = 0;
        line[strcspn(line, "\n")] = '\0';
        while (given < WORDS && (word = strsep(&rest, "\t"))) parts[given++] = word;
        if (given < 4) return 2;
        for (unsigned i = 4; i < given && n < ARGUMENTS; i++) {
            if (strcmp(parts[i], "p") == 0 && i + 1 < given) {
                long *cell = calloc(3, sizeof *cell);
                *cell = value_of(parts[++i]);
                values[n++] = (long)cell;
            } else {
                values[n++] = value_of(parts[i]);
            }
        }
        int self = (int)getpid();
        errno = 0;
        if (strcmp(parts[0], "symbol") == 0) {
            long (*function)(long, long, long, long, long, long, long, long) =
                (long (*)(long, long, long, long, long, long, long, long))function_of(parts[1]);
            if (!function) {
                printf("%s\t%s\tabsent\t0\n", parts[1], parts[0]);
                fflush(stdout);
                continue;
            }
            result = function(values[0], values[1], values[2], values[3], values[4], values[5],
                              values[6], values[7]);
        } else {
            result = syscall(atol(parts[2]), values[0], values[1], values[2], values[3], values[4],
                             values[5]);
        }
        int error = errno;
        if (written && *written) error = *written;
        written = NULL;
        if (getpid() != self) _exit(0);
        const char *said = "done";
        if (strcmp(parts[3], "error") == 0) {
            if ((int)result != 0) said = "failed", error = (int)result;
        } else if (strcmp(parts[3], "pointer") == 0) {
            if (result == 0 || result == -1) said = "failed";
        } else if (strcmp(parts[3], "lookup") == 0) {
            if ((int)result != 0) said = "failed";
        } else if ((int)result == -1) {
            said = "failed";
        }
        printf("%s\t%s\t%s\t%d\n", parts[1], parts[0], said, error);
        fflush(stdout);
    }
    return 0;
}
