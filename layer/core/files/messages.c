/* libc's translations: FOLDER/LANGUAGE/LC_MESSAGES/DOMAIN.mo, opened inside libc when a message is
 * first translated. The program chooses the parts, and they can lead anywhere: by a link below the
 * folder, or by ".." in the domain or the language. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "files/files.h"
#include "files/steady.h"
#include "support/sys.h"
#include "events/events.h"

/* A language without a slash cannot lead out of the folder. One with a slash is refused: libc
 * looks up all its own messages by this variable, format strings included. */
static void check_languages(const char *variable, const void *caller)
{
    const char *value = getenv(variable);
    if (LIKELY(!value) || !strchr(value, '/') || !guard_ready() || files_idle()) return;
    int error = errno;
    if (integrity_refused("take messages for", value, caller)) unsetenv(variable);
    errno = error;
}

static void check_language(const void *caller) { check_languages("LANGUAGE", caller); }

static bool refused(const struct path *domain, const void *caller)
{
    check_language(caller);
    return domain && strchr(domain->text, '/') &&
           integrity_refused("take messages of", domain->text, caller);
}

/* Below a folder that can be changed, a path may lead elsewhere by the time libc opens it. */
static char *judged_bindtextdomain(const struct path *domain, const struct path *folder,
                                   const void *caller)
{
    if (refused(domain, caller)) return NULL;
    if (folder) {
        /* libc uses these messages as format strings. Naming the folder that is set already
         * changes nothing. */
        if (domain && strcmp(domain->text, "libc") == 0 &&
            strcmp(folder->text, real.bindtextdomain("libc", NULL)) != 0 &&
            integrity_refused("take messages of", "libc", caller))
            return NULL;
        if (files_refuses_path(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, "take messages from",
                               caller))
            return NULL;
        struct stat status;
        bool missing = sys_fstatat(AT_FDCWD, folder->text, &status, 0) == -ENOENT;
        /* Prebuilt libraries (sharp) name a folder of their build machine, which does not exist
         * here. */
        if (!steady_folder(folder->text) &&
            (missing ? guard_integrity().mode == FS_BLOCK
                     : integrity_refused("take messages from", folder->text, caller)))
            return NULL;
    }
    return real.bindtextdomain(domain ? domain->text : NULL, folder ? folder->text : NULL);
}

/* A name with a slash is a path. Others are searched for in the folders of a variable. */
static void *judged_catopen(const struct path *name, int flag, const void *caller)
{
    if (strchr(name->text, '/')) {
        if (files_refuses_name(name, O_RDONLY, "open", caller)) return (void *)-1;
    } else {
        files_check_folders("NLSPATH", "take messages from", caller);
        check_languages("LANG", caller);
    }
    return real.catopen(name->text, flag);
}

#include "doors_messages.gen.h"
