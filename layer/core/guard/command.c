#include "guard/command.h"

#include <string.h>

#include "support/sys.h"
#include "support/text.h"

enum { SHIM = '~', READ_MAX = 65536 };

/* Costs nothing in a process without a wrapper: the memory is never touched there. */
static char words_of_this[READ_MAX];

/* The size of what /proc says of this process's argument list, whole words only. */
static size_t read_words(void)
{
    size_t size = 0;
    int fd = sys_openat(AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return 0;
    while (size < sizeof words_of_this) {
        long got = sys_read(fd, words_of_this + size, sizeof words_of_this - size);
        if (got == -EINTR) continue;
        if (got <= 0) break;
        size += (size_t)got;
    }
    sys_close(fd);
    while (size > 0 && words_of_this[size - 1] != '\0') size--;
    return size;
}

/* DEV.INO of the running program. */
static void identify(char out[2 * TEXT_NUMBER_SIZE])
{
    struct stat status;
    out[0] = '\0';
    if (sys_fstatat(AT_FDCWD, "/proc/self/exe", &status, 0) != 0) return;
    char *at = out + text_number(out, status.st_dev);
    *at = '.';
    text_number(at + 1, status.st_ino);
}

static unsigned number(const char **text)
{
    unsigned value = 0;
    for (; **text >= '0' && **text <= '9' && value < 1000000; (*text)++)
        value = value * 10 + (unsigned)(**text - '0');
    if (**text == '.') (*text)++;
    return value;
}

/* A wrapper that runs in the same program as COMMAND (a shell, say) has COMMAND's name among its
 * arguments, so one more time than COMMAND itself. */
static bool leads_to(const char *words, size_t size)
{
    unsigned own = number(&words), expected = number(&words), found = 0, index = 0;
    for (const char *at = words_of_this; at < words_of_this + size; at += strlen(at) + 1, index++)
        if (index > own && strcmp(at, words) == 0) found++;
    return found > expected;
}

/* Returns true if this is what the shim leads to: a program with its name (python3 may be
 * python3.13), or a script with its name. */
static bool is_behind_shim(const char *wanted, const char *name, size_t size)
{
    if (strncmp(name, wanted, strcspn(wanted, "0123456789.")) == 0) return true;
    unsigned index = 0;
    for (const char *at = words_of_this; at < words_of_this + size && index < 3;
         at += strlen(at) + 1, index++) {
        const char *slash = strrchr(at, '/');
        if (index > 0 && slash && strcmp(slash + 1, wanted) == 0 && !strstr(at, "/shims/"))
            return true;
    }
    return false;
}

bool command_runs(const char *program, const char *words, const char *name, bool own)
{
    size_t size;
    if (program[0] == SHIM) {
        size = read_words();
        if (!is_behind_shim(program + 1, name, size)) return false;
    } else {
        char self[2 * TEXT_NUMBER_SIZE];
        identify(self);
        if (strcmp(self, program) != 0 && !own) return false;
        size = read_words();
    }
    return !leads_to(words, size);
}
