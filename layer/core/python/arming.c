/* Arming: the audit hook is added before the interpreter exists, so that no Python code ever ran
 * without it. */
#include <string.h>

#include "cpython/attach.h"
#include "guard/guard.h"
#include "python/arming.h"
#include "events/announce.h"
#include "python/hooks/hook.h"
#include "python/perf.h"
#include "python/python_program.h"
#include "cpython/python.h"
#include "python/hooks/seal.h"
#include "guard/handed_on.h"

extern char **environ;

/* "3.13.0 (main, …" as python3.13, with a t where there is no GIL. False where it is older
 * than 3.9. */
static bool read_version(char *runtime, size_t size)
{
    const char *version = python.Py_GetVersion();
    size_t length = strspn(version, "0123456789.");
    const char *dot = memchr(version, '.', length);
    const char *end = dot ? memchr(dot + 1, '.', length - (size_t)(dot + 1 - version)) : NULL;
    if (!dot) return false;
    if (end) length = (size_t)(end - version);
    if (size > sizeof "python" + length + 1) {
        memcpy(runtime, "python", 6);
        memcpy(runtime + 6, version, length);
        strcpy(runtime + 6 + length, strstr(version, "free-threading") ? "t" : "");
    }
    return python.minor >= 9;
}

/* Does what Python's main does first: reads -X dev, -E, PYTHONMALLOC and the locale, so that the
 * hook's entry comes from the allocator that will free it. main does it again and finds it done. If
 * it fails here, main fails in the same way and reports it. */
static bool preinitialise(int argc, char **argv)
{
    struct python_preconfig config;
    memset(&config, 0, sizeof config);
    python.PyPreConfig_InitPythonConfig(&config);
    return python.Py_PreInitializeFromBytesArgs(&config, argc, argv).type == 0;
}

static char *variable(const char *name)
{
    size_t size = strlen(name);
    for (char **at = environ; at && *at; at++)
        if (strncmp(*at, name, size) == 0 && (*at)[size] == '=') return *at;
    return NULL;
}

static void forget(const char *entry)
{
    char **to = environ;
    for (char **from = environ; from && *from; from++)
        if (*from != entry) *to++ = *from;
    if (to) *to = NULL;
}

/* Removes the witness's folder from PYTHONPATH before the interpreter reads it. If the hook is in
 * place, no witness is needed, and the process shows no trace of it. */
static void give_python_path_back(void)
{
    char site[sizeof guard.layer + sizeof "/" SITE_FOLDER];
    char *entry = variable("PYTHONPATH");
    if (!entry) return;
    strcpy(site, guard.layer);
    strcat(site, "/" SITE_FOLDER);
    char *value = entry + sizeof "PYTHONPATH";
    size_t size = strlen(site);
    for (char *part = value; part; part = strchr(part, ':') ? strchr(part, ':') + 1 : NULL) {
        if (strncmp(part, site, size) != 0 || (part[size] != ':' && part[size] != '\0')) continue;
        if (part[size] == ':') {
            memmove(part, part + size + 1, strlen(part + size + 1) + 1);
        } else if (part > value) {
            part[-1] = '\0';
        } else {
            *value = '\0';
            if (!guard_pythonpath_was_set) forget(entry);
        }
        return;
    }
}

bool arming_arm(int argc, char **argv, char *runtime, size_t size)
{
    if (!python_program_is_interpreter()) {
        /* A program that embeds Python keeps the folder: its interpreter has no hook, and the
         * witness says so. */
        if (!guard.is_wrapper && !python_program_embeds()) give_python_path_back();
        return false;
    }
    const char *lacks = python_load();
    if (!lacks && !read_version(runtime, size))
        lacks = "this Python is too old to be guarded: Python 3.9 or newer is needed";
    if (lacks) {
        if (guard.is_function) announce_refused(lacks);
        return false;
    }
    perf_start(argc, argv);
    if (!preinitialise(argc, argv)) return false;
    seal_start();
    hook_start();
    hook_processes_start();
    if (python.PySys_AddAuditHook(hook_event, NULL) != 0) {
        if (guard.is_function) announce_refused("the audit hook cannot be added to this Python");
        return false;
    }
    attach_start();
    give_python_path_back();
    return true;
}
