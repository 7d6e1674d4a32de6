/* The command that is to run guarded. See command.h. */
#include "command.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event.h"
#include "processes/program.h"
#include "support/sys.h"
#include "support/text.h"

enum { SHIM_NAME_SIZE = 41 };

void command_find(const char *name, char out[PATH_MAX])
{
    if (strchr(name, '/')) {
        if (strlen(name) >= PATH_MAX) REFUSE("the command's path is too long");
        strcpy(out, name);
        return;
    }
    const char *path = getenv("PATH");
    if (!path) path = "/usr/local/bin:/usr/bin:/bin";
    char folder[PATH_MAX];
    for (const char *at = path;; at++) {
        const char *end = strchrnul(at, ':');
        size_t size = (size_t)(end - at);
        struct stat status;
        if (size < sizeof folder) {
            memcpy(folder, at, size);
            folder[size] = '\0';
        }
        if (size < sizeof folder && TEXT_JOIN(out, PATH_MAX, size > 0 ? folder : ".", "/", name) &&
            access(out, X_OK) == 0 && sys_fstatat(AT_FDCWD, out, &status, 0) == 0 &&
            S_ISREG(status.st_mode))
            return;
        if (!*end) break;
        at = end;
    }
    REFUSE("the command ", name, " is not on PATH");
}

unsigned command_check(const char *path, const char *what, char interpreter[PATH_MAX])
{
    unsigned scripts = 0;
    const char *wrong = fs_program_check(path, interpreter, PATH_MAX, &scripts);
    if (wrong) REFUSE(what, path, " cannot be guarded: ", wrong);
    return scripts;
}

bool command_is_shim(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash - path >= 6 && strncmp(slash - 6, "/shims", 6) == 0;
}

/* The program that `#!/usr/bin/env NAME` runs, "" if it runs no other program; `*after`: how many
 * words follow NAME. */
static void named_by_env(const struct fs_program_script *script, char name[FS_PROGRAM_LINE],
                         unsigned *after)
{
    char line[FS_PROGRAM_LINE], *rest;
    const char *slash = strrchr(script->interpreter, '/');
    name[0] = '\0';
    *after = 0;
    if (strcmp(slash ? slash + 1 : script->interpreter, "env") != 0) return;
    strcpy(line, script->argument);
    for (char *word = line; *word; word = rest) {
        rest = word + strcspn(word, " \t");
        if (*rest) *rest++ = '\0';
        if (*word == '\0') continue;
        if (name[0] != '\0')
            ++*after;
        else if (word[0] != '-' && !strchr(word, '='))
            strcpy(name, word);
    }
}

void command_identify(const char *program, char *const *arguments, bool has_wrapper,
                      struct command_identity *identity)
{
    static char path[PATH_MAX], found[PATH_MAX];
    char name[FS_PROGRAM_LINE], device[TEXT_NUMBER_SIZE], inode[TEXT_NUMBER_SIZE];
    char own_digits[TEXT_NUMBER_SIZE], more_digits[TEXT_NUMBER_SIZE];
    unsigned own = 0, more = 0, after;
    bool leads = has_wrapper;
    strcpy(path, program);
    for (unsigned depth = 0; depth < FS_PROGRAM_DEPTH && !command_is_shim(path); depth++) {
        struct fs_program object;
        int fd = open(path, O_PATH | O_CLOEXEC);
        const char *wrong = fs_program_check_object(fd, false, &object);
        struct stat status;
        if (wrong || sys_fstat(object.fd, &status) != 0)
            REFUSE(path, " cannot be guarded: ", wrong ? wrong : "it is gone");
        text_number(device, status.st_dev);
        text_number(inode, status.st_ino);
        (void)TEXT_JOIN(identity->program, sizeof identity->program, device, ".", inode);
        close(object.fd);
        close(fd);
        for (unsigned i = 0; i < object.scripts; i++)
            own += 1 + (object.script[i].argument[0] != '\0');
        if (object.scripts == 0) break;
        named_by_env(&object.script[object.scripts - 1], name, &after);
        if (name[0] == '\0') break;
        own = own - 2 + 1 + after;
        leads = true;
        command_find(name, found);
        strcpy(path, found);
    }
    if (command_is_shim(path)) {
        leads = true;
        identity->program[0] = '~';
        text_copy(identity->program + 1, SHIM_NAME_SIZE, strrchr(path, '/') + 1);
    }
    if (!leads) {
        identity->program[0] = '\0';
        return;
    }
    for (char *const *at = arguments + 1; *at; at++) more += strcmp(*at, arguments[0]) == 0;
    text_number(own_digits, own);
    text_number(more_digits, more);
    if (!TEXT_JOIN(identity->words, sizeof identity->words, own_digits, ".", more_digits, ".",
                   arguments[0]))
        REFUSE("the command's path is too long");
}
