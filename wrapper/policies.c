/* The compiled policies that the command is started under. See policies.h. */
#include "policies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event.h"
#include "paths.h"
#include "installed.h"
#include "guard/handed_on.h"
#include "support/digest.h"
#include "support/sys.h"
#include "support/text.h"

/* Only ENOENT of the name itself is absence. A link that leads nowhere, or to itself, and a folder
 * that cannot be searched are not: what was put there would be dropped without a word.
 * read_compiled() says what is wrong with them. */
static bool is_there(const char *path)
{
    struct stat status;
    if (sys_fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) != -ENOENT) return true;
    char folder[PATH_MAX];
    paths_folder(path, folder);
    return sys_fstatat(AT_FDCWD, folder, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           sys_fstatat(AT_FDCWD, folder, &status, 0) != 0;
}

static void policy_path(char *out, size_t size, const char *name)
{
    if (!TEXT_JOIN(out, size, installed_folder, "/" POLICY_FOLDER "/", name, ".policy")) {
        char shown[65];
        text_copy(shown, sizeof shown, name);
        REFUSE("the policy's name is too long: ", shown);
    }
}

static void choose(char *out, size_t size)
{
    const char *wanted = getenv("FUNCTION_SHIELD_POLICY");
    if (wanted && strchr(wanted, '/')) {
        if (!paths_resolve(wanted, out))
            REFUSE("FUNCTION_SHIELD_POLICY: ", wanted, " cannot be found: ", strerror(errno));
        return;
    }
    if (wanted && *wanted) {
        policy_path(out, size, wanted);
        if (!is_there(out))
            REFUSE("FUNCTION_SHIELD_POLICY: the layer has no policy named ", wanted,
                   ": attach the policy layer that brings it, or name one that is there");
        return;
    }
    const char *function = getenv("AWS_LAMBDA_FUNCTION_NAME");
    if (function && *function && !strchr(function, '/')) {
        policy_path(out, size, function);
        if (is_there(out)) return;
    }
    policy_path(out, size, "default");
}

static void read_compiled(struct compiled *compiled)
{
    int fd = open(compiled->path,
                  O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe must not hold us up */
    if (fd < 0)
        REFUSE("the policy ", compiled->path, " cannot be read: ", strerror(errno),
               ": attach a layer that brings it");
    struct stat status;
    if (sys_fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        REFUSE("the policy ", compiled->path, " is not a file");
    const char *wrong = "it is truncated";
    if (status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (bytes == MAP_FAILED)
            REFUSE("the policy ", compiled->path, " cannot be mapped: ", strerror(errno));
        wrong = fs_policy_check(bytes, size);
        if (!wrong) fs_sha256_hex(bytes, size, compiled->sha256);
        compiled->policy = bytes;
    }
    close(fd);
    if (wrong)
        REFUSE("the policy ", compiled->path, " cannot be used: ", wrong,
               ": compile it again with `fshield compile`");
}

void policies_read(struct compiled *policy, struct compiled *floor)
{
    choose(policy->path, sizeof policy->path);
    read_compiled(policy);
    policy_path(floor->path, sizeof floor->path, "floor");
    if (is_there(floor->path))
        read_compiled(floor);
    else
        floor->path[0] = '\0';
}
