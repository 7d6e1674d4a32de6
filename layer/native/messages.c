/* libc's translations: FOLDER/LANGUAGE/LC_MESSAGES/DOMAIN.mo, opened within libc at some look-up. What the program says of these
 * parts can lead anywhere: by a link below the folder, by ".." in the domain or the language. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "launch.h"

bool files_folder_is_steady(const char *folder)
{
    char below[PATH_MAX];
    size_t size = strnlen(folder, sizeof below);
    if (size + sizeof "/x" > sizeof below) return false;
    memcpy(below, folder, size);
    memcpy(below + size, "/x", sizeof "/x");
    return launch_is_steady(below);
}

/* Names that stay below their folder have no slash. */
static bool refused(const char *domain, const void *caller)
{
    if (!guard_ready() || files_idle()) return false;
    int error = errno;
    const char *language = getenv("LANGUAGE");
    if (UNLIKELY(language && strchr(language, '/')) && integrity_refused("take messages for", language, caller)) unsetenv("LANGUAGE");
    bool leaves = domain && strchr(domain, '/') && integrity_refused("take messages of", domain, caller);
    if (LIKELY(!leaves)) errno = error;
    return leaves;
}

#define REFUSED(domain) UNLIKELY(refused(domain, CALLER()))
#define UNTRANSLATED(message) ((char *)(uintptr_t)(message))

/* What lies below a folder that can be changed may lead elsewhere when it is looked at. */
extern char *bindtextdomain(const char *, const char *);
DOOR char *bindtextdomain(const char *domain, const char *folder)
{
    if (REFUSED(domain)) return NULL;
    if (folder && guard_ready() && !files_idle()) {
        struct judged judged;
        judged.verdict = files_judge_path(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, judged.path, &judged.family);
        judged.verb = "take messages from";
        if (judged.verdict.mode != FS_ALLOW && files_refuse(&judged, CALLER())) return NULL;
        if (!files_folder_is_steady(folder) && integrity_refused("take messages from", folder, CALLER())) return NULL;
    }
    return real.bindtextdomain(domain, folder);
}

extern char *textdomain(const char *);
DOOR char *textdomain(const char *domain) { return REFUSED(domain) ? NULL : real.textdomain(domain); }

extern char *gettext(const char *);
DOOR char *gettext(const char *message) { return REFUSED(NULL) ? UNTRANSLATED(message) : real.gettext(message); }

extern char *dgettext(const char *, const char *);
DOOR char *dgettext(const char *domain, const char *message)
{
    return REFUSED(domain) ? UNTRANSLATED(message) : real.dgettext(domain, message);
}

extern char *dcgettext(const char *, const char *, int);
DOOR char *dcgettext(const char *domain, const char *message, int category)
{
    return REFUSED(domain) ? UNTRANSLATED(message) : real.dcgettext(domain, message, category);
}

extern char *ngettext(const char *, const char *, unsigned long);
DOOR char *ngettext(const char *one, const char *many, unsigned long count)
{
    return REFUSED(NULL) ? UNTRANSLATED(count == 1 ? one : many) : real.ngettext(one, many, count);
}

extern char *dngettext(const char *, const char *, const char *, unsigned long);
DOOR char *dngettext(const char *domain, const char *one, const char *many, unsigned long count)
{
    return REFUSED(domain) ? UNTRANSLATED(count == 1 ? one : many) : real.dngettext(domain, one, many, count);
}

extern char *dcngettext(const char *, const char *, const char *, unsigned long, int);
DOOR char *dcngettext(const char *domain, const char *one, const char *many, unsigned long count, int category)
{
    return REFUSED(domain) ? UNTRANSLATED(count == 1 ? one : many) : real.dcngettext(domain, one, many, count, category);
}

#include "aliases_messages.gen.h"
