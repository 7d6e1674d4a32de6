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
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/digest.h"
#include "events/json.h"
#include "policy/policy.h"
#include "processes/program.h"
#include "events/secrets.h"
#include "guard/handed_on.h"

enum { REFUSED = 78, EVENT_FD = 900, VARIABLES_MAX = 4096 };

#ifndef CORE_SIZE
#error "zig.py gives the size and the checksum of the core that this launcher belongs to"
#endif

static int event_fd = 2;
static char layer[PATH_MAX];

/* ---- saying what is wrong ---- */

static void write_event(const char *event, const char *level, const char *message)
{
    static bool knows_secrets;
    struct json json = {0};
    char now[28];
    if (!knows_secrets) secrets_read(environ);
    knows_secrets = true;
    json_timestamp(now);
    json_raw(&json, "{\"function_shield\":true,\"event\":\"");
    json_raw(&json, event);
    json_raw(&json, "\",\"event_version\":1,\"timestamp\":\"");
    json_raw(&json, now);
    json_raw(&json, "\",\"level\":\"");
    json_raw(&json, level);
    json_raw(&json, "\"");
    json_key(&json, "message");
    json_string(&json, message, 2048);
    json_key(&json, "version");
    json_string(&json, FS_VERSION, 32);
    json_key(&json, "pid");
    json_number(&json, getpid());
    json_raw(&json, "}\n");
    /* A reader that is gone must not keep the function from starting. What does not start has time
     * for its one line. */
    struct pollfd room = {.fd = event_fd, .events = POLLOUT};
    if (poll(&room, 1, strcmp(event, "refused") == 0 ? 1000 : 5) == 0) return;
    ssize_t written = write(event_fd, json.bytes, json.size);
    (void)written;
}

_Noreturn static void refuse(const char *format, const char *a, const char *b)
{
    char message[2048];
    snprintf(message, sizeof message, format, a, b);
    write_event("refused", "FATAL", message);
    _exit(REFUSED);
}

/* ---- where we are ---- */

static void find_layer(void)
{
    ssize_t size = readlink("/proc/self/exe", layer, sizeof layer - 1);
    if (size <= 0) refuse("/proc/self/exe cannot be read: %s%s", strerror(errno), "");
    layer[size] = '\0';
    *strrchr(layer, '/') = '\0';
    if (layer[0] == '\0')
        refuse("the layer lies in the root folder: unzip it into a folder of its own, such as "
               "/opt%s%s",
               "", "");
    /* The dynamic loader splits LD_PRELOAD at these, and expands the dollar: it would only warn,
     * and go on without us. */
    for (const char *at = layer; *at; at++)
        if (*at == ' ' || *at == ':' || *at == '$' || *at == STATE_SEPARATOR ||
            (unsigned char)*at < ' ')
            refuse("the folder of the layer, %s, has a space, a colon or a dollar in its name, and "
                   "the dynamic loader cannot "
                   "preload from there: unzip the layer elsewhere%s",
                   layer, "");
    if (strlen(layer) > 900)
        refuse("the folder of the layer has too long a name: unzip the layer elsewhere%s%s", "",
               "");
}

static void join(char *out, size_t size, const char *folder, const char *name)
{
    if ((size_t)snprintf(out, size, "%s/%s", folder, name) >= size)
        refuse("a path is too long: %s/%s", folder, name);
}

static void folder_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (size >= PATH_MAX) size = PATH_MAX - 1;
    memcpy(out, path, size);
    out[size] = '\0';
    if (size == 0) strcpy(out, slash ? "/" : ".");
}

/* The kernel says AT_SECURE to a program that runs with rights which its caller does not have, and
 * the loader then drops LD_PRELOAD: the command would run unguarded. */
static void check_rights(void)
{
    uid_t user[3];
    gid_t group[3];
    bool differ = getresuid(&user[0], &user[1], &user[2]) != 0 ||
                  getresgid(&group[0], &group[1], &group[2]) != 0 || user[0] != user[1] ||
                  group[0] != group[1];
    if (differ || getauxval(AT_SECURE) != 0)
        refuse("the process has other effective rights than its real user and group (setuid, "
               "setgid or file capabilities): the "
               "dynamic loader keeps the guard out of it; start function-shield with equal ids and "
               "without capabilities%s%s",
               "", "");
}

/* ---- events ---- */

static void open_events(void)
{
    const char *sink = getenv("FUNCTION_SHIELD_EVENTS");
    struct rlimit limit;
    int low = EVENT_FD;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < EVENT_FD + 16)
        low = limit.rlim_cur > 32 ? (int)limit.rlim_cur - 16 : 3;
    int from = 2;
    if (sink && strcmp(sink, "stdout") == 0) {
        from = 1;
    } else if (sink && *sink && strcmp(sink, "stderr") != 0) {
        from = open(sink, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (from < 0)
            refuse("FUNCTION_SHIELD_EVENTS: %s cannot be opened: %s", sink, strerror(errno));
    }
    int fd = fcntl(from, F_DUPFD, low);
    if (fd < 0 && errno == EBADF) {
        /* A closed stream: its fd will be the first file that the function opens, and no place
         * for events. */
        from = open("/dev/null", O_WRONLY | O_CLOEXEC);
        fd = fcntl(from, F_DUPFD, low);
        close(from);
    } else if (from > 2) {
        close(from);
    }
    if (fd >= 0) event_fd = fd;
}

/* ---- the policy ---- */

struct compiled {
    char path[PATH_MAX];
    char sha256[65];
    const struct fs_policy *policy;
};

/* Only ENOENT of the name itself is absence. A link that leads nowhere, or to itself, and a folder
 * that cannot be searched are not: what was put there would be dropped without a word.
 * read_policy() says what is wrong with them. */
static bool is_there(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0 || errno != ENOENT) return true;
    char folder[PATH_MAX];
    folder_of(path, folder);
    return lstat(folder, &status) == 0 && stat(folder, &status) != 0;
}

static void policy_path(char *out, size_t size, const char *name)
{
    char file[512];
    if ((size_t)snprintf(file, sizeof file, POLICY_FOLDER "/%s.policy", name) >= sizeof file)
        refuse("the policy's name is too long: %.64s%s", name, "");
    join(out, size, layer, file);
}

static void choose_policy(char *out, size_t size)
{
    const char *wanted = getenv("FUNCTION_SHIELD_POLICY");
    if (wanted && strchr(wanted, '/')) {
        if (!realpath(wanted, out))
            refuse("FUNCTION_SHIELD_POLICY: %s cannot be found: %s", wanted, strerror(errno));
        return;
    }
    if (wanted && *wanted) {
        policy_path(out, size, wanted);
        if (!is_there(out))
            refuse("FUNCTION_SHIELD_POLICY: the layer has no policy named %s: attach the policy "
                   "layer that brings it, or name "
                   "one that is there%s",
                   wanted, "");
        return;
    }
    const char *function = getenv("AWS_LAMBDA_FUNCTION_NAME");
    if (function && *function && !strchr(function, '/')) {
        policy_path(out, size, function);
        if (is_there(out)) return;
    }
    policy_path(out, size, "default");
}

static void read_policy(struct compiled *compiled)
{
    int fd = open(compiled->path,
                  O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe must not hold us up */
    if (fd < 0)
        refuse("the policy %s cannot be read: %s: attach a layer that brings it", compiled->path,
               strerror(errno));
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        refuse("the policy %s is no file%s", compiled->path, "");
    const char *wrong = "it is truncated";
    if (status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (bytes == MAP_FAILED)
            refuse("the policy %s cannot be mapped: %s", compiled->path, strerror(errno));
        wrong = fs_policy_check(bytes, size);
        if (!wrong) fs_sha256_hex(bytes, size, compiled->sha256);
        compiled->policy = bytes;
    }
    close(fd);
    if (wrong)
        refuse("the policy %s cannot be used: %s: compile it again with `fshield compile`",
               compiled->path, wrong);
}

/* ---- the core ---- */

static uint64_t step(uint64_t hash, uint64_t word)
{
    hash ^= word;
    hash = hash << 29 | hash >> 35;
    return hash * 0x9e3779b97f4a7c15u;
}

/* fs_checksum's steps in four lanes: the whole core in some ten microseconds. */
static uint64_t checksum(const unsigned char *bytes, size_t size)
{
    /* Variables and no array, which would lie in memory between the steps and take five times as
     * long. */
    uint64_t first = 1, second = 2, third = 3, fourth = 4, words[4];
    size_t at = 0;
    for (; at + sizeof words <= size; at += sizeof words) {
        memcpy(words, bytes + at, sizeof words);
        first = step(first, words[0]);
        second = step(second, words[1]);
        third = step(third, words[2]);
        fourth = step(fourth, words[3]);
    }
    for (; at < size; at++) first = step(first, bytes[at]);
    return step(step(step(first, second), third), fourth);
}

/* The loader only warns where it cannot preload: whatever would make it fail is looked for here. */
static void check_core(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        refuse("the core %s cannot be read: %s: attach the layer again", path, strerror(errno));
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_size != CORE_SIZE)
        refuse("the core %s is not the one that this launcher belongs to: attach the layer again%s",
               path, "");
    void *bytes = mmap(NULL, CORE_SIZE, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED || checksum(bytes, CORE_SIZE) != CORE_CHECKSUM)
        refuse("the core %s is damaged: attach the layer again%s", path, "");
    void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    if (code == MAP_FAILED)
        refuse("the core %s cannot be run from where it lies (%s): a file system mounted noexec?",
               path, strerror(errno));
    munmap(code, 4096);
    munmap(bytes, CORE_SIZE);
    close(fd);
}

/* ---- the command ---- */

/* As the shell finds it. */
static void find_program(const char *name, char out[PATH_MAX])
{
    if (strchr(name, '/')) {
        if (strlen(name) >= PATH_MAX) refuse("the command's path is too long%s%s", "", "");
        strcpy(out, name);
        return;
    }
    const char *path = getenv("PATH");
    if (!path) path = "/usr/local/bin:/usr/bin:/bin";
    for (const char *at = path;; at++) {
        const char *end = strchrnul(at, ':');
        int size = (int)(end - at);
        struct stat status;
        if (snprintf(out, PATH_MAX, "%.*s/%s", size > 0 ? size : 1, size > 0 ? at : ".", name) <
                PATH_MAX &&
            access(out, X_OK) == 0 && stat(out, &status) == 0 && S_ISREG(status.st_mode))
            return;
        if (!*end) break;
        at = end;
    }
    refuse("the command %s is not on PATH%s", name, "");
}

/* How many #! lines lead to the ELF that will run. */
static unsigned check_program(const char *path, const char *what, char interpreter[PATH_MAX])
{
    unsigned scripts = 0;
    const char *wrong = fs_program_check(path, interpreter, PATH_MAX, &scripts);
    if (wrong) refuse(what, path, wrong);
    return scripts;
}

static bool blocks(const struct fs_policy *policy, const char *path)
{
    struct fs_request request = {.family = FS_TMP, .path = path};
    return policy && fs_policy_decide(policy, &request).mode == FS_BLOCK;
}

/* What the function is made of must not lie where the policy lets nobody read. `resolved`: without
 * links. */
static void check_resolved(const char *resolved, const char *what, const struct fs_policy *policy,
                           const struct fs_policy *floor)
{
    static char tmp[PATH_MAX];
    if (tmp[0] == '\0' && !realpath("/tmp", tmp)) return;
    size_t size = strlen(tmp);
    if (strncmp(resolved, tmp, size) != 0 || (resolved[size] != '/' && resolved[size] != '\0'))
        return;
    if (blocks(policy, resolved) || blocks(floor, resolved))
        refuse("%s lies under /tmp (%s), which the policy blocks: move it elsewhere, or allow its "
               "folder under read_write_tmp",
               what, resolved);
}

static void check_place(const char *path, const char *what, const struct fs_policy *policy,
                        const struct fs_policy *floor)
{
    char resolved[PATH_MAX];
    if (path && *path && realpath(path, resolved)) check_resolved(resolved, what, policy, floor);
}

static bool lies_in(const char *path, const char *folder)
{
    char resolved[PATH_MAX];
    if (!realpath(folder, resolved)) return false;
    size_t size = strlen(resolved);
    return strncmp(path, resolved, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static bool blocks_library(const struct fs_policy *policy, const char *path)
{
    struct fs_request request = {.family = FS_NATIVE, .path = path};
    return policy && fs_policy_decide(policy, &request).mode == FS_BLOCK;
}

/* The loader looks a library up by its bare name in these folders, and no door sees where it was
 * found: where the function itself could put one there, the program does not start. */
static void check_library_folders(const struct fs_policy *policy, const struct fs_policy *floor)
{
    const char *at = getenv("LD_LIBRARY_PATH"), *end;
    if (!at || !*at) return;
    for (;; at = end + 1) {
        char folder[PATH_MAX], resolved[PATH_MAX + sizeof "/library"];
        end = at + strcspn(at, ":;");
        size_t size = (size_t)(end - at);
        if (size >= sizeof folder)
            refuse("a folder in LD_LIBRARY_PATH has a name that is too long%s%s", "", "");
        memcpy(folder, at, size);
        folder[size] = '\0';
        /* One that is not absolute is looked for in the folder that the function is in by then; one
         * that is not there yet can be made. */
        if (folder[0] != '/')
            strcpy(resolved, folder[0] == '$' ? "/" : "/tmp");
        else if (!realpath(folder, resolved))
            strcpy(resolved, folder);
        if (lies_in(resolved, "/tmp") || lies_in(resolved, "/var/tmp") ||
            lies_in(resolved, "/dev")) {
            strcat(resolved, "/library");
            if (blocks_library(policy, resolved) || blocks_library(floor, resolved))
                refuse("LD_LIBRARY_PATH names \"%s\", where the function could put libraries of "
                       "its own, and the policy blocks "
                       "native_code: take it out%s",
                       folder, "");
        }
        if (*end == '\0') return;
    }
}

/* ---- becoming it ---- */

extern char **environ;

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
        if (count + 4 >= VARIABLES_MAX)
            refuse("the environment has more than 4,000 variables%s%s", "", "");
        out[count++] = *at;
    }
    int size = snprintf(preload, sizeof preload, "LD_PRELOAD=%s%s%s", core,
                        old_preload && *old_preload ? ":" : "", old_preload ? old_preload : "");
    int path_size = snprintf(pythonpath, sizeof pythonpath, "PYTHONPATH=%s/" SITE_FOLDER "%s%s",
                             layer, old_path ? ":" : "", old_path ? old_path : "");
    if (size < 0 || (size_t)size >= sizeof preload || path_size < 0 ||
        (size_t)path_size >= sizeof pythonpath)
        refuse("LD_PRELOAD or PYTHONPATH is too long%s%s", "", "");
    out[count++] = preload;
    out[count++] = pythonpath;
    out[count++] = (char *)(uintptr_t)state;
    out[count] = NULL;
    return out;
}

/* pyenv, asdf, mise and the like put a script in front of each program (…/shims/python3), which
 * starts others to find out which it is. It is a wrapper like any other: COMMAND itself is the
 * first ELF program, or script, of that name. */
static bool is_shim(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash - path >= 6 && strncmp(slash - 6, "/shims", 6) == 0;
}

/* The program that `#!/usr/bin/env NAME` runs, "" where the line is none such; `*after`: how many
 * words follow NAME. */
static void named_by_env(const struct fs_program_script *script, char name[FS_PROGRAM_LINE],
                         unsigned *after)
{
    char line[FS_PROGRAM_LINE], *rest = NULL;
    const char *slash = strrchr(script->interpreter, '/');
    name[0] = '\0';
    *after = 0;
    if (strcmp(slash ? slash + 1 : script->interpreter, "env") != 0) return;
    strcpy(line, script->argument);
    for (char *word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        if (name[0] != '\0')
            ++*after;
        else if (word[0] != '-' && !strchr(word, '='))
            strcpy(name, word);
    }
}

/* How the core tells COMMAND from what leads to it: see handed_on.h. Checks what `env` is to start
 * as well. */
struct identity {
    char program[48];
    char words[1100];
};

static void identify(const char *program, char *const *arguments, bool has_wrapper,
                     struct identity *identity)
{
    static char path[PATH_MAX], found[PATH_MAX];
    char name[FS_PROGRAM_LINE];
    unsigned own = 0, more = 0, after;
    bool leads = has_wrapper;
    strcpy(path, program);
    for (unsigned depth = 0; depth < FS_PROGRAM_DEPTH && !is_shim(path); depth++) {
        struct fs_program object;
        int fd = open(path, O_PATH | O_CLOEXEC);
        const char *wrong = fs_program_check_object(fd, false, &object);
        struct stat status;
        if (wrong || fstat(object.fd, &status) != 0)
            refuse("%s cannot be guarded: %s", path, wrong ? wrong : strerror(errno));
        snprintf(identity->program, sizeof identity->program, "%llu.%llu",
                 (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
        close(object.fd);
        close(fd);
        for (unsigned i = 0; i < object.scripts; i++)
            own += 1 + (object.script[i].argument[0] != '\0');
        if (object.scripts == 0) break;
        named_by_env(&object.script[object.scripts - 1], name, &after);
        if (name[0] == '\0') break;
        own = own - 2 + 1 + after;
        leads = true;
        find_program(name, found);
        strcpy(path, found);
    }
    if (is_shim(path)) {
        leads = true;
        snprintf(identity->program, sizeof identity->program, "~%.40s", strrchr(path, '/') + 1);
    }
    if (!leads) {
        identity->program[0] = '\0';
        return;
    }
    for (char *const *at = arguments + 1; *at; at++) more += strcmp(*at, arguments[0]) == 0;
    int size =
        snprintf(identity->words, sizeof identity->words, "%u.%u.%s", own, more, arguments[0]);
    if (size < 0 || (size_t)size >= sizeof identity->words)
        refuse("the command's path is too long%s%s", "", "");
}

static bool asked(const char *mode, const char *wanted, uint32_t flag,
                  const struct compiled *policy, const struct compiled *floor)
{
    if (!mode || strcmp(mode, wanted) != 0) return false;
    if ((policy->policy->flags & flag) && (!floor->policy || (floor->policy->flags & flag)))
        return true;
    char message[512];
    snprintf(message, sizeof message,
             "FUNCTION_SHIELD_MODE=%s is not listed under allow_mode_override of %s: the policy is "
             "enforced as it stands",
             wanted, policy->policy->flags & flag ? "the floor" : "the policy");
    write_event("override_ignored", "WARN", message);
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

/* A program to load the core into, for --self-test: it answers before its first line, or ends
 * with 78. */
static char **self_test_command(void)
{
    static char path[PATH_MAX];
    static char shell[] = "/bin/sh", option[] = "-c", fail[] = "exit 78",
                leave[] = "raise SystemExit(78)";
    static char *command[] = {path, option, leave, NULL};
    static const char *const folders[] = {"/var/lang/bin", "/usr/local/bin", "/usr/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        join(path, sizeof path, folders[i], "python3");
        if (access(path, X_OK) == 0 && fs_program_check(path, NULL, 0, NULL) == NULL)
            return command;
    }
    command[0] = shell;
    command[2] = fail;
    return command;
}

int main(int argc, char **argv)
{
    static struct compiled policy, floor_policy;
    static char program[PATH_MAX], interpreter[PATH_MAX], next[PATH_MAX], core[PATH_MAX],
        folder[PATH_MAX], state[STATE_MAX];
    struct identity command = {"", ""};
    bool self_test = argc > 1 && strcmp(argv[1], "--self-test") == 0;
    if (argc < 2)
        refuse("there is no command to run: function-shield COMMAND [ARG...]; function-shield "
               "--help says more%s%s",
               "", "");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    char **arguments = self_test && argc == 2 ? self_test_command() : argv + 1 + self_test;

    find_layer();
    open_events();
    check_rights();
    choose_policy(policy.path, sizeof policy.path);
    read_policy(&policy);
    policy_path(floor_policy.path, sizeof floor_policy.path, "floor");
    if (is_there(floor_policy.path))
        read_policy(&floor_policy);
    else
        floor_policy.path[0] = '\0';

    const char *mode = getenv("FUNCTION_SHIELD_MODE");
    if (mode && *mode && strcmp(mode, "alert") != 0 && strcmp(mode, "off") != 0)
        refuse("FUNCTION_SHIELD_MODE=%.64s is unknown: alert and off are the modes; unset it to "
               "enforce the policy%s",
               mode, "");
    const char *wrapper = getenv("FUNCTION_SHIELD_NEXT_WRAPPER");
    if (wrapper && !*wrapper) wrapper = NULL;
    if (self_test) wrapper = NULL;
    find_program(arguments[0], program);
    if (!self_test && asked(mode, "off", FS_FLAG_MODE_OFF, &policy, &floor_policy)) {
        write_event("disabled", "FATAL", "FUNCTION_SHIELD_MODE=off: this function runs unguarded");
        if (event_fd > 2) close(event_fd);
        if (wrapper) {
            argv[0] = (char *)(uintptr_t)wrapper;
            execv(wrapper, argv);
            refuse("the next wrapper %s cannot be started: %s", wrapper, strerror(errno));
        }
        execv(program, arguments);
        refuse("the command %s cannot be started: %s", program, strerror(errno));
    }
    bool dry_run = asked(mode, "alert", FS_FLAG_MODE_ALERT, &policy, &floor_policy);

    join(core, sizeof core, layer, CORE_FILE);
    check_core(core);
    bool scripted = check_program(program, "%s cannot be guarded: %s", interpreter) > 0;
    if (wrapper) check_program(wrapper, "the next wrapper %s cannot be guarded: %s", next);
    /* Where nothing leads to it, the first program is COMMAND. */
    if (wrapper || scripted || is_shim(program))
        identify(program, arguments, wrapper != NULL, &command);
    if (!dry_run) {
        check_place(layer, "the layer", policy.policy, floor_policy.policy);
        check_place(getenv("LAMBDA_TASK_ROOT"), "the function", policy.policy, floor_policy.policy);
        folder_of(program, folder);
        check_place(folder, "the command", policy.policy, floor_policy.policy);
        if (scripted || interpreter[0] == '\0')
            check_place(program, "the command", policy.policy, floor_policy.policy);
        check_resolved(interpreter, scripted ? "the runtime" : "the command", policy.policy,
                       floor_policy.policy);
        check_library_folders(policy.policy, floor_policy.policy);
    }
    const char *old_path = getenv("PYTHONPATH");
    char pid[16], fd[16], flags[8];
    snprintf(pid, sizeof pid, "%d", getpid());
    snprintf(fd, sizeof fd, "%d", event_fd);
    snprintf(flags, sizeof flags, "%s%s%s", dry_run ? "d" : "", old_path ? "p" : "",
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
        [STATE_FIELD_LAYER] = layer,
    };
    if (handed_on_write(state, sizeof state, fields) == 0)
        refuse("the paths of the layer and the policy are too long%s%s", "", "");
    char **environment = with_variables(core, state);
    if (wrapper) {
        argv[0] = (char *)(uintptr_t)wrapper;
        execve(wrapper, argv, environment);
        refuse("the next wrapper %s cannot be started: %s", wrapper, strerror(errno));
    }
    execve(program, arguments, environment);
    refuse("the command %s cannot be started: %s", program, strerror(errno));
}
