#include "python/perf.h"

#include <string.h>

#include "guard/guard.h"
#include "events/events.h"

extern char **environ;

static bool blocks(enum fs_family family, const char *path, struct fs_verdict *verdict)
{
    struct fs_request request = {.family = family, .path = path, .facts = &guard.facts};
    *verdict = guard_decide(&request);
    return verdict->mode == FS_BLOCK;
}

/* -X perf, -Xperf, -IX perf_jit. An option that Python does not know changes nothing. */
static bool forget_option(int argc, char **argv)
{
    bool found = false;
    for (int i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '-'; i++) {
        size_t at = 1 + strcspn(argv[i] + 1, "XWcm");
        char option = argv[i][at], *value = option && argv[i][at + 1] ? argv[i] + at + 1 : NULL;
        if (option == 'c' || option == 'm') break;
        if (option && !value && ++i < argc) value = argv[i];
        if (option != 'X' || !value || strncmp(value, "perf", 4) != 0) continue;
        value[0] = '-';
        found = true;
    }
    return found;
}

static bool forget_variable(const char *name)
{
    size_t size = strlen(name);
    for (char **at = environ; at && *at; at++) {
        if (strncmp(*at, name, size) != 0 || (*at)[size] != '=' || (*at)[size + 1] == '\0')
            continue;
        if (strcmp(*at + size + 1, "0") == 0) return false;
        strcpy(*at + size + 1, "0");
        return true;
    }
    return false;
}

void perf_start(int argc, char **argv)
{
    struct fs_verdict verdict;
    enum fs_family family = FS_NATIVE;
    if (!blocks(FS_NATIVE, NULL, &verdict)) {
        family = FS_TMP;
        if (!blocks(FS_TMP, "/tmp/perf-1.map", &verdict)) return;
    }
    bool option = forget_option(argc, argv), variable = forget_variable("PYTHONPERFSUPPORT");
    bool compiled = forget_variable("PYTHON_PERF_JIT_SUPPORT");
    if (!option && !variable && !compiled) return;
    struct act act = {.ring = RING_INTERPRETER,
                      .family = family,
                      .verb = "switch on",
                      .path = "support for perf"};
    events_report(&act, &verdict, NULL, 0);
}
