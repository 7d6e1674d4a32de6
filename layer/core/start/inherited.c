/* What was handed on to this process. See inherited.h. */
#include "start/inherited.h"

#include <string.h>

#include "events/secrets.h"
#include "events/sink.h"
#include "files/files.h"
#include "files/handler.h"
#include "guard/command.h"
#include "guard/facts.h"
#include "guard/guard.h"
#include "events/announce.h"
#include "guard/handed_on.h"
#include "network/dns/dns_socket.h"
#include "network/names/lookup_fds.h"
#include "start/policies.h"
#include "support/sys.h"
#include "support/text.h"

struct inherited inherited;

extern char **environ;

static int root_pid;
static char command[48], command_words[1100];

static const char *variable(const char *name)
{
    size_t size = strlen(name);
    for (char **at = environ; at && *at; at++)
        if (strncmp(*at, name, size) == 0 && (*at)[size] == '=') return *at + size + 1;
    return NULL;
}

static void forget(const char *name)
{
    size_t size = strlen(name);
    char **to = environ;
    for (char **from = environ; from && *from; from++)
        if (strncmp(*from, name, size) != 0 || (*from)[size] != '=') *to++ = *from;
    if (to) *to = NULL;
}

/* LD_PRELOAD as it was before the launcher put the core in front. */
static void give_preload_back(void)
{
    char *value = (char *)(uintptr_t)variable("LD_PRELOAD");
    if (!value) return;
    char *rest = strchr(value, ':');
    if (!rest) {
        forget("LD_PRELOAD");
        return;
    }
    memmove(value, rest + 1, strlen(rest + 1) + 1);
}

void inherited_forget(void)
{
    forget(STATE_VARIABLE);
    give_preload_back();
}

void inherited_read(void)
{
    static char state[STATE_MAX];
    char *fields[STATE_FIELDS];
    const char *value = variable(STATE_VARIABLE);
    if (!value || strlen(value) >= sizeof state)
        announce_refused(
            "the core was loaded without the launcher: start the program through function-shield");
    text_copy(state, sizeof state, value);
    if (!handed_on_read(state, fields))
        announce_refused(
            "the core and the launcher are of different versions: attach one whole layer");
    sink_open(text_int(fields[STATE_FIELD_EVENT_FD]));
    files_watch_events();
    root_pid = text_int(fields[STATE_FIELD_PID]);
    text_copy(command, sizeof command, fields[STATE_FIELD_COMMAND]);
    text_copy(command_words, sizeof command_words, fields[STATE_FIELD_WORDS]);
    guard.dry_run = strchr(fields[STATE_FIELD_FLAGS], 'd') != NULL;
    guard_runs_covered = strchr(fields[STATE_FIELD_FLAGS], 'c') != NULL;
    inherited.udp = strchr(fields[STATE_FIELD_FLAGS], 'u') != NULL;
    inherited.follows = strchr(fields[STATE_FIELD_FLAGS], 'x') != NULL;
    inherited.self_test = strchr(fields[STATE_FIELD_FLAGS], 't') != NULL;
    guard_pythonpath_was_set = strchr(fields[STATE_FIELD_FLAGS], 'p') != NULL;
    text_copy(inherited.policy, sizeof inherited.policy, fields[STATE_FIELD_POLICY]);
    text_copy(inherited.floor, sizeof inherited.floor, fields[STATE_FIELD_FLOOR]);
    text_copy(guard.layer, sizeof guard.layer, fields[STATE_FIELD_LAYER]);
    facts_start(fields[STATE_FIELD_FACTS], environ);
    handler_restore(fields[STATE_FIELD_SEALED]);
    secrets_restore(fields[STATE_FIELD_SECRETS]);
    policies_map(inherited.policy, fields[STATE_FIELD_POLICY_SHA], inherited.floor,
                 fields[STATE_FIELD_FLOOR_SHA]);
    text_copy(guard_preload_variable + sizeof "LD_PRELOAD=" - 1,
              sizeof guard_preload_variable - sizeof "LD_PRELOAD=", guard.layer);
    size_t size = strlen(guard_preload_variable);
    text_copy(guard_preload_variable + size, sizeof guard_preload_variable - size, "/" CORE_FILE);
}

bool guard_child_variable(char *buffer, size_t size, bool child_covered)
{
    char flags[8], pid[TEXT_NUMBER_SIZE], fd[TEXT_NUMBER_SIZE], facts[FACTS_MAX] = "", sealed[3072];
    unsigned count = 0;
    if (guard.dry_run) flags[count++] = 'd';
    if (guard_pythonpath_was_set && guard.is_wrapper) flags[count++] = 'p';
    if (child_covered) flags[count++] = 'c';
    if (atomic_load(&dns_any) || guard_has_lookups()) flags[count++] = 'u';
    if (!guard.is_wrapper) flags[count++] = 'x';
    flags[count] = '\0';
    if (!guard.is_wrapper && !facts_text(facts, sizeof facts)) return false;
    if (!handler_describe(sealed, sizeof sealed)) return false;
    text_number(pid, (unsigned)root_pid);
    text_number(fd, guard.event_fd < 0 ? 0 : (unsigned)guard.event_fd);
    const char *fields[STATE_FIELDS] = {
        [STATE_FIELD_PID] = pid,
        [STATE_FIELD_COMMAND] = command,
        [STATE_FIELD_WORDS] = command_words,
        [STATE_FIELD_FLAGS] = flags,
        [STATE_FIELD_EVENT_FD] = fd,
        [STATE_FIELD_POLICY_SHA] = guard_policy_sha256,
        [STATE_FIELD_POLICY] = inherited.policy,
        [STATE_FIELD_FLOOR_SHA] = guard_floor_sha256,
        [STATE_FIELD_FLOOR] = inherited.floor,
        [STATE_FIELD_LAYER] = guard.layer,
        [STATE_FIELD_FACTS] = facts,
        [STATE_FIELD_SEALED] = sealed,
    };
    size_t at = handed_on_write(buffer, size, fields);
    if (at == 0) return false;
    at += secrets_describe(buffer + at, size - at) + 1;
    return at < size;
}

/* The running program lies in the function's package. */
static bool is_of_function(void)
{
    const char *root = facts_value("LAMBDA_TASK_ROOT");
    size_t size = root ? strlen(root) : 0;
    return size > 1 && strncmp(guard_program_path, root, size) == 0 &&
           guard_program_path[size] == '/';
}

void inherited_find_place(void)
{
    guard.is_function = false;
    guard.is_wrapper = false;
    if (sys_getpid() != root_pid) {
        /* Processes of the next wrapper (`$(… | tr)`) are not the function's acts. */
        guard.is_wrapper = command[0] != '\0';
        return;
    }
    if (command[0] != '\0') {
        if (!command_runs(command, command_words, guard_program_name, is_of_function())) {
            guard.is_wrapper = true;
            return;
        }
        command[0] = '\0';
        command_words[0] = '\0';
    }
    guard.is_function = true;
}
