/* Start: a list of steps from the launcher's state to a guard that is ready, before the program's first line. */
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <arpa/inet.h>

#include "command.h"
#include "crossing.h"
#include "digest.h"
#include "dns_socket.h"
#include "expansion.h"
#include "facts.h"
#include "files.h"
#include "guard.h"
#include "handler.h"
#include "inspect.h"
#include "kernel.h"
#include "learnt.h"
#include "native.h"
#include "proxies.h"
#include "resolvers.h"
#include "runtime_api.h"
#include "secrets.h"
#include "state.h"
#include "symbols.h"
#include "sys.h"

struct guard guard = {.event_fd = -1};
__thread struct guard_thread guard_thread __attribute__((tls_model("initial-exec")));
atomic_int guard_state;
_Atomic uint8_t guard_tightened[4];
char guard_preload_variable[1100] = "LD_PRELOAD=";
char guard_program_name[64], guard_program_path[1024];
char guard_policy_sha256[65], guard_floor_sha256[65];
char guard_pythonpath_was_set;

extern char **environ;

static char policy_path[1024], floor_path[1024];
static int root_pid;
static char command[48], command_words[1100];
static _Atomic int probation_pid; /* the forked child that is on probation */
static bool covered, self_test, inherits_udp, follows;

static void copy(char *out, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);
    memcpy(out, text, length);
    out[length] = '\0';
}

static const char *variable(const char *name)
{
    size_t size = strlen(name);
    for (char **at = environ; at && *at; at++)
        if (strncmp(*at, name, size) == 0 && (*at)[size] == '=') return *at + size + 1;
    return NULL;
}

/* Takes one string out of the environment. The program must not see what started it. */
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

static size_t split(char *state, char *fields[STATE_FIELDS])
{
    size_t count = 0;
    for (char *at = state; count < STATE_FIELDS; at++) {
        fields[count++] = at;
        at = strchr(at, STATE_SEPARATOR);
        if (!at) break;
        *at = '\0';
    }
    return count;
}

static int number(const char *text)
{
    long value = 0;
    bool minus = *text == '-';
    for (text += minus; *text >= '0' && *text <= '9' && value < 100000000; text++) value = value * 10 + (*text - '0');
    return (int)(minus ? -value : value);
}

static bool kernel_is(int major, int minor)
{
    struct utsname names;
    if (sys_call(SYS_uname, &names) != 0) return false;
    int first = number(names.release);
    const char *dot = strchr(names.release, '.');
    return first > major || (first == major && dot && number(dot + 1) >= minor);
}

/* Nobody writes there any more. */
static void seal(void *bytes, size_t size)
{
    sys_call(SYS_mprotect, bytes, size, PROT_READ);
    /* Not asked of a kernel that does not have it: a sandbox may end a process for a number that it does not know. */
    if (kernel_is(6, 10)) sys_call(462 /* mseal */, bytes, size, 0);
    files_protect_memory(bytes, size);
}

/* A policy in memory of our own: the file may change, the copy cannot. */
static const struct fs_policy *map_policy(const char *path, const char *expected, char sha256[65])
{
    struct stat status;
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0 || sys_fstat(fd, &status) != 0) guard_refuse("the compiled policy cannot be read: attach the layer again");
    if (status.st_size < (long)sizeof(struct fs_policy) || status.st_size > (long)FS_POLICY_MAX_SIZE)
        guard_refuse("the compiled policy is damaged: compile it again");
    size_t size = (size_t)status.st_size;
    char *bytes = (char *)sys_call(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if ((unsigned long)bytes > -4096ul) guard_refuse("there is no memory for the policy");
    size_t done = 0;
    while (done < size) {
        long got = sys_read(fd, bytes + done, size - done);
        if (got == -EINTR) continue;
        if (got <= 0) guard_refuse("the compiled policy cannot be read: attach the layer again");
        done += (size_t)got;
    }
    sys_close(fd);
    fs_sha256_hex(bytes, size, sha256);
    if (strcmp(sha256, expected) != 0) guard_refuse("the compiled policy changed while the function ran");
    if (fs_policy_check(bytes, size) != NULL) guard_refuse("the compiled policy is damaged: compile it again");
    seal(bytes, size);
    return (const struct fs_policy *)bytes;
}

static const char *start_value(void *context, const char *name)
{
    (void)context;
    return facts_value(name);
}

/* The names of policy and floor that have variables of the function's configuration in them. */
static void expand_names(void)
{
    static struct fs_expansion expansions[2];
    const struct fs_policy *policies[] = {guard.policy, guard.floor};
    for (unsigned i = 0; i < 2; i++) {
        size_t size = policies[i] ? fs_expansion_size(policies[i]) : 0;
        if (size == 0) continue;
        for (uint32_t at = 0; at < policies[i]->variables.count; at++) {
            const struct fs_variable *variable = fs_policy_item(policies[i], FS_SECTION_VARIABLES, at);
            if (variable) facts_add(fs_policy_string(policies[i], variable->name));
        }
        void *memory = (void *)sys_call(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((unsigned long)memory > -4096ul) guard_refuse("there is no memory for the policy");
        if (!fs_expand(policies[i], start_value, NULL, memory, &expansions[guard.facts.expansion_count])) continue;
        seal(memory, size);
        guard.facts.expansion_count++;
    }
    guard.facts.expansions = expansions;
}

static uint8_t partition_of(const char *region)
{
    if (!region) return FS_AWS;
    if (strncmp(region, "cn-", 3) == 0) return FS_AWS_CN;
    if (strncmp(region, "eusc-", 5) == 0) return FS_AWS_EUSC;
    return FS_AWS;
}

/* HOST:PORT, the host an address or a name. */
static void read_endpoint(const char *text, char *host, size_t size, uint8_t ip[16], uint8_t *version, uint16_t *port)
{
    if (!text) return;
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    if (length >= size) return;
    memcpy(host, text, length);
    host[length] = '\0';
    *port = colon ? (uint16_t)number(colon + 1) : 80;
    unsigned char six[16];
    if (inet_pton(AF_INET, host, ip) == 1) {
        *version = 4;
    } else if (inet_pton(AF_INET6, host, six) == 1) {
        static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
        if (memcmp(six, mapped, sizeof mapped) == 0) {
            memcpy(ip, six + 12, 4);
            *version = 4;
        } else {
            memcpy(ip, six, 16);
            *version = 6;
        }
    } else if (strcmp(host, "localhost") == 0) {
        memcpy(ip, (const uint8_t[]){127, 0, 0, 1}, 4);
        *version = 4;
    }
}

static void read_environment(void)
{
    char host[256];
    read_endpoint(facts_value("AWS_LAMBDA_RUNTIME_API"), guard.runtime_api_host, sizeof guard.runtime_api_host,
                  guard.runtime_api_ip, &guard.runtime_api_ip_version, &guard.runtime_api_port);
    const char *xray = facts_value("AWS_XRAY_DAEMON_ADDRESS");
    /* "tcp:HOST:PORT udp:HOST:PORT" names both; one of them is kept, and serves for both protocols. */
    const char *udp = xray ? strstr(xray, "udp:") : NULL;
    char endpoint[256];
    if (xray) {
        copy(endpoint, sizeof endpoint, udp ? udp + 4 : strncmp(xray, "tcp:", 4) == 0 ? xray + 4 : xray);
        endpoint[strcspn(endpoint, " ")] = '\0';
        xray = endpoint;
    }
    read_endpoint(xray, host, sizeof host, guard.xray_ip, &guard.xray_ip_version, &guard.xray_port);
    const char *root = facts_value("LAMBDA_TASK_ROOT"), *runtime = facts_value("LAMBDA_RUNTIME_DIR");
    if (root) copy(guard.task_root, sizeof guard.task_root, root);
    if (runtime) copy(guard.runtime_dir, sizeof guard.runtime_dir, runtime);
    const char *region = facts_value("AWS_REGION");
    if (!region) region = facts_value("AWS_DEFAULT_REGION");
    guard.facts.region = fs_region_of(region);
    /* What SDKs build account-based names from, where it is set. */
    guard.facts.account = fs_account_of(facts_value("AWS_ACCOUNT_ID"));
    guard.facts.partition = partition_of(region);
    expand_names();
    files_read_handlers(facts_value("_HANDLER"), facts_value("ORIG_HANDLER"), facts_value("DD_LAMBDA_HANDLER"));
    proxies_start();
    secrets_read(environ);
    struct utsname names;
    if (sys_call(SYS_uname, &names) == 0) copy(guard.host_name, sizeof guard.host_name, names.nodename);
}

static void read_program(void)
{
    long size = sys_readlinkat(AT_FDCWD, "/proc/self/exe", guard_program_path, sizeof guard_program_path - 1);
    if (size < 0) {
        const char *executed = (const char *)getauxval(AT_EXECFN);
        copy(guard_program_path, sizeof guard_program_path, executed ? executed : "program");
    }
    const char *slash = strrchr(guard_program_path, '/');
    copy(guard_program_name, sizeof guard_program_name, slash ? slash + 1 : guard_program_path);
}

static void find_place(void)
{
    guard.is_function = false;
    guard.is_wrapper = false;
    if (sys_getpid() != root_pid) {
        /* What the next wrapper starts on its way (`$(… | tr)`) is none of the function's doing. */
        guard.is_wrapper = command[0] != '\0';
        return;
    }
    if (command[0] != '\0') {
        if (!command_runs(command, command_words, guard_program_name)) {
            guard.is_wrapper = true;
            return;
        }
        command[0] = '\0';
        command_words[0] = '\0';
    }
    guard.is_function = true;
}

static void watch(void)
{
    for (unsigned family = 0; family < FS_INTEGRITY; family++) {
        uint8_t mode = guard.policy->modes[family];
        if (guard.floor && guard.floor->modes[family] > mode) mode = guard.floor->modes[family];
        guard.watched[family] = mode != FS_ALLOW;
        if (mode == FS_BLOCK && !guard.dry_run) guard.blocks_any = true;
    }
    guard.watched[FS_INTEGRITY] = guard.blocks_any;
    guard.loopback_listed = ((guard.policy->flags | (guard.floor ? guard.floor->flags : 0)) & FS_FLAG_LOOPBACK_LISTED) != 0;
}

static void protect_own_memory(void)
{
    struct symbols_object core;
    if (symbols_object_of(&guard, &core)) files_protect_memory((const void *)core.base, core.end - core.base);
}

static void open_sink(int fd)
{
    struct stat status;
    /* A standard descriptor is the program's: without one of our own, events go to descriptor 2, unprotected. */
    if (fd <= 2 || sys_fstat(fd, &status) != 0) {
        fd = (int)sys_call(SYS_fcntl, 2, F_DUPFD, 900);
        if (fd < 0) fd = (int)sys_call(SYS_fcntl, 2, F_DUPFD, 3);
        if (fd < 0 || sys_fstat(fd, &status) != 0) return;
    }
    guard.event_fd = fd;
    guard.event_dev = status.st_dev;
    guard.event_ino = status.st_ino;
    guard.event_is_file = S_ISREG(status.st_mode);
    if (guard.event_is_file) {
        char magic[32], path[PATH_MAX];
        files_magic_path(magic, fd);
        long length = sys_readlinkat(AT_FDCWD, magic, path, sizeof path - 1);
        path[length > 0 ? length : 0] = '\0';
        if (length > 0) files_watch_name(path);
        else files_watch_everything();
    }
    for (int own = 1; own <= 2; own++) {
        struct stat other;
        guard.shares_pipe[own - 1] =
            sys_fstat(own, &other) == 0 && other.st_dev == status.st_dev && other.st_ino == status.st_ino;
    }
}

static void read_state(void)
{
    static char state[STATE_MAX];
    char *fields[STATE_FIELDS];
    const char *value = variable(STATE_VARIABLE);
    if (!value || strlen(value) >= sizeof state)
        guard_refuse("the core was loaded without the launcher: start the program through function-shield");
    copy(state, sizeof state, value);
    if (split(state, fields) != STATE_FIELDS || strcmp(fields[STATE_FIELD_VERSION], STATE_VERSION) != 0)
        guard_refuse("the core and the launcher are of different versions: attach one whole layer");
    open_sink(number(fields[STATE_FIELD_EVENT_FD]));
    root_pid = number(fields[STATE_FIELD_PID]);
    copy(command, sizeof command, fields[STATE_FIELD_COMMAND]);
    copy(command_words, sizeof command_words, fields[STATE_FIELD_WORDS]);
    guard.dry_run = strchr(fields[STATE_FIELD_FLAGS], 'd') != NULL;
    covered = strchr(fields[STATE_FIELD_FLAGS], 'c') != NULL;
    inherits_udp = strchr(fields[STATE_FIELD_FLAGS], 'u') != NULL;
    follows = strchr(fields[STATE_FIELD_FLAGS], 'x') != NULL;
    self_test = strchr(fields[STATE_FIELD_FLAGS], 't') != NULL;
    guard_pythonpath_was_set = strchr(fields[STATE_FIELD_FLAGS], 'p') != NULL;
    copy(policy_path, sizeof policy_path, fields[STATE_FIELD_POLICY]);
    copy(floor_path, sizeof floor_path, fields[STATE_FIELD_FLOOR]);
    copy(guard.layer, sizeof guard.layer, fields[STATE_FIELD_LAYER]);
    facts_start(fields[STATE_FIELD_FACTS], environ);
    handler_restore(fields[STATE_FIELD_SEALED]);
    secrets_restore(fields[STATE_FIELD_SECRETS]);
    guard.policy = map_policy(policy_path, fields[STATE_FIELD_POLICY_SHA], guard_policy_sha256);
    if (floor_path[0]) guard.floor = map_policy(floor_path, fields[STATE_FIELD_FLOOR_SHA], guard_floor_sha256);
    copy(guard_preload_variable + sizeof "LD_PRELOAD=" - 1, sizeof guard_preload_variable - sizeof "LD_PRELOAD=", guard.layer);
    size_t size = strlen(guard_preload_variable);
    copy(guard_preload_variable + size, sizeof guard_preload_variable - size, "/" CORE_FILE);
}

static void append(char *buffer, size_t size, size_t *at, const char *text, char after)
{
    size_t length = strlen(text);
    if (*at >= size || length + 2 > size - *at) {
        *at = size;
        return;
    }
    memcpy(buffer + *at, text, length);
    *at += length;
    buffer[(*at)++] = after;
}

static void append_number(char *buffer, size_t size, size_t *at, int value)
{
    char digits[16];
    unsigned start = sizeof digits - 1;
    digits[start] = '\0';
    unsigned rest = value < 0 ? 0u : (unsigned)value;
    do digits[--start] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    append(buffer, size, at, digits + start, STATE_SEPARATOR);
}

bool guard_child_variable(char *buffer, size_t size, bool child_covered)
{
    char flags[8];
    unsigned count = 0;
    if (guard.dry_run) flags[count++] = 'd';
    if (guard_pythonpath_was_set && guard.is_wrapper) flags[count++] = 'p';
    if (child_covered) flags[count++] = 'c';
    if (atomic_load(&dns_any)) flags[count++] = 'u';
    if (!guard.is_wrapper) flags[count++] = 'x';
    flags[count] = '\0';
    size_t at = 0;
    append(buffer, size, &at, STATE_VARIABLE, '=');
    append(buffer, size, &at, STATE_VERSION, STATE_SEPARATOR);
    append_number(buffer, size, &at, root_pid);
    append(buffer, size, &at, command, STATE_SEPARATOR);
    append(buffer, size, &at, command_words, STATE_SEPARATOR);
    append(buffer, size, &at, flags, STATE_SEPARATOR);
    append_number(buffer, size, &at, guard.event_fd);
    append(buffer, size, &at, guard_policy_sha256, STATE_SEPARATOR);
    append(buffer, size, &at, policy_path, STATE_SEPARATOR);
    append(buffer, size, &at, guard_floor_sha256, STATE_SEPARATOR);
    append(buffer, size, &at, floor_path, STATE_SEPARATOR);
    append(buffer, size, &at, guard.layer, STATE_SEPARATOR);
    char facts[FACTS_MAX] = "", sealed[1536];
    if (!guard.is_wrapper && !facts_text(facts, sizeof facts)) return false;
    append(buffer, size, &at, facts, STATE_SEPARATOR);
    if (!handler_describe(sealed, sizeof sealed)) return false;
    append(buffer, size, &at, sealed, STATE_SEPARATOR);
    if (at + 2 > size) return false;
    at += secrets_describe(buffer + at, size - at) + 1;
    return at < size;
}

void guard_after_fork(bool probation)
{
    int pid = sys_getpid();
    guard.is_function = false;
    files_forget_held();
    pending_forked();
    runtime_api_forked();
    learnt_forked();
    crossing_forked();
    atomic_store(&inspect_sharing, 0);
    inspect_shares();
    atomic_store(&probation_pid, probation ? pid : 0);
}

bool guard_on_probation(void)
{
    int pid = atomic_load_explicit(&probation_pid, memory_order_relaxed);
    return UNLIKELY(pid != 0) && pid == sys_getpid();
}

bool guard_covered(void) { return covered; }

void guard_start(void)
{
    int idle = 0;
#ifdef FS_SANITIZED
    /* Of the soak: AddressSanitizer looks its functions up before it has the memory that our code then asks, and before libc
     * has the environment. */
    if (!environ || sys_call(SYS_mincore, 0x7fff8000, 4096, &idle) != 0) {
        symbols_resolve();
        return;
    }
    idle = 0;
#endif
    if (!atomic_compare_exchange_strong(&guard_state, &idle, 1)) return;
    guard_thread.inside++;
    if (!symbols_resolve()) guard_refuse("the loaded libraries cannot be listed: this program cannot be guarded");
    read_program();
    read_state();
    read_environment();
    forget(STATE_VARIABLE);
    give_preload_back();
    find_place();
    watch();
    resolvers_start();
    dns_start(inherits_udp);
    files_start();
    /* The function's own process may become another program, with the connections that it had. */
    if (!guard.is_function || follows) inspect_start();
    native_start();
    protect_own_memory();
    atomic_store_explicit(&guard_state, 2, memory_order_release);
    guard_thread.inside--;
}

__attribute__((constructor)) static void construct(void) { (void)guard_ready(); }

/* ---- decisions of this process ---- */

static struct fs_verdict reconfigured(struct fs_verdict verdict, uint8_t mode)
{
    verdict.mode = mode;
    verdict.reason = FS_RECONFIGURED;
    verdict.source = NULL;
    return verdict;
}

struct fs_verdict guard_decide(const struct fs_request *request)
{
    if (request->family == FS_INTEGRITY) return guard_integrity();
    struct fs_verdict verdict = fs_policy_decide(guard.policy, request);
    if (request->family <= FS_HANDLER) {
        /* An exception of the policy file stands: configure changes what happens where no rule allows. */
        bool excepted = verdict.reason == FS_RULE || verdict.reason == FS_ALWAYS ||
                        (request->family == FS_OUTBOUND && !guard.loopback_listed && fs_is_loopback(request));
        uint8_t tightened = atomic_load_explicit(&guard_tightened[request->family], memory_order_relaxed);
        if (!excepted && tightened > verdict.mode + 1) verdict = reconfigured(verdict, (uint8_t)(tightened - 1));
        uint8_t loosened = guard_thread.loosened[request->family];
        if (loosened != 0 && verdict.mode > loosened - 1) verdict = reconfigured(verdict, (uint8_t)(loosened - 1));
    }
    if (guard.floor) {
        struct fs_verdict floor = fs_policy_decide(guard.floor, request);
        floor.floor = true;
        if (floor.mode > verdict.mode) verdict = floor;
    }
    if (guard.dry_run && verdict.mode == FS_BLOCK) verdict.mode = FS_ALERT;
    return verdict;
}

static bool tightened_to_block(void)
{
    for (unsigned family = 0; family < 4; family++)
        if (atomic_load_explicit(&guard_tightened[family], memory_order_relaxed) == FS_BLOCK + 1) return true;
    return false;
}

struct fs_verdict guard_integrity(void)
{
    struct fs_verdict verdict = {.mode = FS_ALLOW, .policy_mode = FS_BLOCK, .reason = FS_GUARD, .rule = UINT32_MAX};
    if (guard.blocks_any || (!guard.dry_run && tightened_to_block()))
        verdict.mode = FS_BLOCK;
    else if (guard.dry_run)
        verdict.mode = FS_ALERT;
    return verdict;
}

void guard_note(enum fs_family family, uint8_t mode, const char *object)
{
    guard_thread.note_family = (uint8_t)(family + 1);
    guard_thread.note_mode = mode;
    guard_thread.note_object = object ? guard_object_hash(object) : 0;
}

bool guard_noted(enum fs_family family, const char *object)
{
    if (LIKELY(guard_thread.note_family != family + 1)) return false;
    return guard_thread.note_object == 0 || !object || guard_thread.note_object == guard_object_hash(object);
}

/* ---- before main ---- */

static int (*program_main)(int, char **, char **);

static int guarded_main(int argc, char **argv, char **environment)
{
    const char *rings[3];
    unsigned count = 0;
    char runtime[64];
    bool interpreter = interpreter_arm(argc, argv, runtime, sizeof runtime);
    handler_watch = guard.is_function && !interpreter;
    if (interpreter) rings[count++] = "interpreter";
    rings[count++] = "libc";
    if (kernel_arm(!self_test)) rings[count++] = "kernel";
    const char *name = interpreter ? runtime : guard_program_name;
    if (self_test) {
        guard_announce_self_test(rings, count, name);
        sys_exit(0);
    }
    symbols_program_starts();
    if (guard.is_function) guard_announce_armed(rings, count, name);
    return program_main(argc, argv, environment);
}

DOOR int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                           void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    (void)guard_ready();
    program_main = main;
    return real.__libc_start_main(guarded_main, argc, argv, init, fini, rtld_fini, stack_end);
}
