/* function-shield: what Lambda starts in the runtime's place.
 *
 *   AWS_LAMBDA_EXEC_WRAPPER=/opt/function-shield   on Lambda
 *   DIR/function-shield COMMAND [ARG...]           anywhere
 *   DIR/function-shield --self-test [COMMAND]      for Dockerfiles and deployment hooks
 *
 * Reads FUNCTION_SHIELD_POLICY, FUNCTION_SHIELD_MODE, FUNCTION_SHIELD_NEXT_WRAPPER,
 * FUNCTION_SHIELD_EVENTS and AWS_LAMBDA_FUNCTION_NAME; sets LD_PRELOAD, PYTHONPATH and
 * FUNCTION_SHIELD_STATE, which the core and sitecustomize take back before the function runs.
 * Static, so that it starts in a tenth of a millisecond and no preload touches it.
 *
 * It checks whatever could leave COMMAND unguarded, and becomes COMMAND; or says in one event what
 * is wrong and how to fix it, and exits 78. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "blocked_places.h"
#include "command.h"
#include "event.h"
#include "paths.h"
#include "guard/handed_on.h"
#include "installed.h"
#include "policies.h"
#include "processes/program.h"
#include "support/text.h"

enum { VARIABLES_MAX = 4096, SHOWN_SIZE = 65 /* of a value that an event quotes */ };
enum { MEMORY_LEAST = 8 << 20 };

extern char **environ;

/* The kernel sets AT_SECURE for a program with rights that its caller lacks. The loader then drops
 * LD_PRELOAD, and the command would run unguarded. */
static void check_rights(void)
{
    uid_t user[3];
    gid_t group[3];
    bool differ = getresuid(&user[0], &user[1], &user[2]) != 0 ||
                  getresgid(&group[0], &group[1], &group[2]) != 0 || user[0] != user[1] ||
                  group[0] != group[1];
    if (differ || getauxval(AT_SECURE) != 0)
        REFUSE("the process has other effective rights than its real user and group (setuid, "
               "setgid or file capabilities): the dynamic loader keeps the guard out of it; start "
               "function-shield with equal ids and without capabilities");
}

/* As for limits that the function sets (interpose/integrity.c): with little memory the loader may
 * have room for the command and libc, but not for the larger core. */
static void check_memory(void)
{
    static const int kinds[] = {RLIMIT_AS, RLIMIT_DATA};
    struct rlimit limit;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (getrlimit(kinds[i], &limit) == 0 && limit.rlim_cur < MEMORY_LEAST)
            REFUSE("the limit of memory (ulimit -v, ulimit -d) is below 8 MB: the dynamic loader "
                   "could start the command without the guard; raise it");
}

static char **with_variables(const char *core, const char *state)
{
    static char *out[VARIABLES_MAX];
    static char preload[PATH_MAX + 4096], pythonpath[PATH_MAX + 4096];
    const char *old_preload = getenv("LD_PRELOAD"), *old_path = getenv("PYTHONPATH");
    size_t count = 0;
    for (char **at = environ; *at; at++) {
        if (strncmp(*at, "LD_PRELOAD=", 11) == 0 || strncmp(*at, "PYTHONPATH=", 11) == 0 ||
            strncmp(*at, STATE_VARIABLE "=", sizeof STATE_VARIABLE) == 0)
            continue;
        if (count + 4 >= VARIABLES_MAX) REFUSE("the environment has more than 4,000 variables");
        out[count++] = *at;
    }
    bool more = old_preload && *old_preload;
    if (!TEXT_JOIN(preload, sizeof preload, "LD_PRELOAD=", core, more ? ":" : "", old_preload) ||
        !TEXT_JOIN(pythonpath, sizeof pythonpath, "PYTHONPATH=", installed_folder, "/" SITE_FOLDER,
                   old_path ? ":" : "", old_path))
        REFUSE("LD_PRELOAD or PYTHONPATH is too long");
    out[count++] = preload;
    out[count++] = pythonpath;
    out[count++] = (char *)(uintptr_t)state;
    out[count] = NULL;
    return out;
}

static bool asked(const char *mode, const char *wanted, uint32_t flag,
                  const struct compiled *policy, const struct compiled *floor)
{
    if (!mode || strcmp(mode, wanted) != 0) return false;
    if ((policy->policy->flags & flag) && (!floor->policy || (floor->policy->flags & flag)))
        return true;
    char message[512];
    (void)TEXT_JOIN(message, sizeof message, "FUNCTION_SHIELD_MODE=", wanted,
                    " is not listed under allow_mode_override of ",
                    policy->policy->flags & flag ? "the floor" : "the policy",
                    ": the policy is enforced as it stands");
    event_write("override_ignored", "WARN", message);
    return false;
}

static const char usage[] =
    "function-shield " FS_VERSION "\n"
    "usage: function-shield COMMAND [ARG...]\n"
    "       function-shield --self-test [COMMAND]\n"
    "\n"
    "Runs COMMAND guarded by a policy, and becomes it. On Lambda:\n"
    "AWS_LAMBDA_EXEC_WRAPPER=/opt/function-shield\n"
    "\n"
    "FUNCTION_SHIELD_POLICY        name of a policy in the layer, or a path to a compiled one\n"
    "FUNCTION_SHIELD_MODE          alert (dry run) or off, where the policy permits it\n"
    "FUNCTION_SHIELD_NEXT_WRAPPER  another exec wrapper, run guarded, before the runtime\n"
    "FUNCTION_SHIELD_EVENTS        stderr (default), stdout, or a path\n"
    "\n"
    "Exit status: COMMAND's own; 78 where it could not be guarded, and did not run.\n";

/* The program that the core is loaded into for --self-test. The core answers before its first line;
 * otherwise it exits with 78. */
static char **self_test_command(void)
{
    static char path[PATH_MAX];
    static char shell[] = "/bin/sh", option[] = "-c", fail[] = "exit 78",
                leave[] = "raise SystemExit(78)";
    static char *command[] = {path, option, leave, NULL};
    static const char *const folders[] = {"/var/lang/bin", "/usr/local/bin", "/usr/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        installed_join(path, sizeof path, folders[i], "python3");
        if (access(path, X_OK) == 0 && fs_program_check(path, NULL, 0, NULL) == NULL)
            return command;
    }
    command[0] = shell;
    command[2] = fail;
    return command;
}

/* FUNCTION_SHIELD_MODE, checked; NULL or "" if it is not set. */
static const char *read_mode(void)
{
    const char *mode = getenv("FUNCTION_SHIELD_MODE");
    if (mode && *mode && strcmp(mode, "alert") != 0 && strcmp(mode, "off") != 0) {
        char shown[SHOWN_SIZE];
        text_copy(shown, sizeof shown, mode);
        REFUSE("FUNCTION_SHIELD_MODE=", shown,
               " is unknown: alert and off are the modes; unset it to enforce the policy");
    }
    return mode;
}

/* `interpreter`: as command_check says. */
static void check_places(const char *program, const char *interpreter, bool scripted)
{
    static char folder[PATH_MAX];
    blocked_places_check_path(installed_folder, "the layer");
    blocked_places_check_path(getenv("LAMBDA_TASK_ROOT"), "the function");
    paths_folder(program, folder);
    blocked_places_check_path(folder, "the command");
    if (scripted || interpreter[0] == '\0') blocked_places_check_path(program, "the command");
    blocked_places_check(interpreter, scripted ? "the runtime" : "the command");
    blocked_places_check_library_path();
}

/* Becomes the next wrapper, if there is one, else the command. `argv`: the launcher's own, without
 * options; a wrapper gets all of it but its first word. */
static _Noreturn void become(const char *wrapper, char **argv, const char *program,
                             char **arguments, char **environment)
{
    if (wrapper) {
        argv[0] = (char *)(uintptr_t)wrapper;
        execve(wrapper, argv, environment);
        REFUSE("the next wrapper ", wrapper, " cannot be started: ", strerror(errno));
    }
    execve(program, arguments, environment);
    REFUSE("the command ", program, " cannot be started: ", strerror(errno));
}

int main(int argc, char **argv)
{
    static struct compiled policy, floor_policy;
    static char program[PATH_MAX], interpreter[PATH_MAX], next[PATH_MAX], core[PATH_MAX],
        state[STATE_MAX];
    struct command_identity command = {"", ""};
    bool self_test = argc > 1 && strcmp(argv[1], "--self-test") == 0;
    if (argc < 2)
        REFUSE("there is no command to run: function-shield COMMAND [ARG...]; function-shield "
               "--help says more");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0) {
        return write(1, usage, sizeof usage - 1) < 0;
    }
    char **arguments = self_test && argc == 2 ? self_test_command() : argv + 1 + self_test;

    installed_find();
    event_open();
    check_rights();
    policies_read(&policy, &floor_policy);

    const char *mode = read_mode();
    const char *wrapper = getenv("FUNCTION_SHIELD_NEXT_WRAPPER");
    if (wrapper && !*wrapper) wrapper = NULL;
    if (self_test) wrapper = NULL;
    command_find(arguments[0], program);
    if (!self_test && asked(mode, "off", FS_FLAG_MODE_OFF, &policy, &floor_policy)) {
        event_write("disabled", "FATAL", "FUNCTION_SHIELD_MODE=off: this function runs unguarded");
        if (event_fd > 2) close(event_fd);
        become(wrapper, argv, program, arguments, environ);
    }
    bool dry_run = asked(mode, "alert", FS_FLAG_MODE_ALERT, &policy, &floor_policy);

    check_memory();
    installed_join(core, sizeof core, installed_folder, CORE_FILE);
    installed_check_core(core);
    bool scripted = command_check(program, "", interpreter) > 0;
    if (wrapper) command_check(wrapper, "the next wrapper ", next);
    /* Without a wrapper before it, the first program is COMMAND. */
    if (wrapper || scripted || command_is_shim(program))
        command_identify(program, arguments, wrapper != NULL, &command);
    blocked_places_start(policy.policy, floor_policy.policy);
    if (!dry_run) check_places(program, interpreter, scripted);
    const char *old_path = getenv("PYTHONPATH");
    char pid[TEXT_NUMBER_SIZE], fd[TEXT_NUMBER_SIZE], flags[8];
    text_number(pid, (uint64_t)getpid());
    text_number(fd, (uint64_t)event_fd);
    (void)TEXT_JOIN(flags, sizeof flags, dry_run ? "d" : "", old_path ? "p" : "",
                    self_test ? "t" : "");
    const char *fields[STATE_FIELDS] = {
        [STATE_FIELD_PID] = pid,
        [STATE_FIELD_COMMAND] = command.program,
        [STATE_FIELD_WORDS] = command.words,
        [STATE_FIELD_FLAGS] = flags,
        [STATE_FIELD_EVENT_FD] = fd,
        [STATE_FIELD_POLICY_SHA] = policy.sha256,
        [STATE_FIELD_POLICY] = policy.path,
        [STATE_FIELD_FLOOR_SHA] = floor_policy.sha256,
        [STATE_FIELD_FLOOR] = floor_policy.path,
        [STATE_FIELD_LAYER] = installed_folder,
    };
    if (handed_on_write(state, sizeof state, fields) == 0)
        REFUSE("the paths of the layer and the policy are too long");
    become(wrapper, argv, program, arguments, with_variables(core, state));
}
