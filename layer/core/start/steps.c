/* Start: a list of steps from the launcher's state to a guard that is ready, before the program's
 * first line. */
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>

#include "network/first_bytes/fd_use.h"
#include "files/source/also.h"
#include "files/files.h"
#include "files/handler.h"
#include "files/layer.h"
#include "files/made.h"
#include "guard/callers.h"
#include "guard/guard.h"
#include "python/arming.h"
#include "python/interpreter.h"
#include "events/announce.h"
#include "guard/kernel.h"
#include "javascript/socket_origin.h"
#include "javascript/request_origin.h"
#include "libc/symbols.h"
#include "memory/engine.h"
#include "memory/native.h"
#include "network/dns/dns_socket.h"
#include "network/first_bytes/inspect.h"
#include "network/names/learnt.h"
#include "network/names/local_resolvers.h"
#include "network/names/lookup_fds.h"
#include "network/names/resolvers.h"
#include "processes/launch.h"
#include "processes/forking.h"
#include "start/function.h"
#include "start/inherited.h"
#include "start/policies.h"
#include "support/keyed_hash.h"
#include "support/lock.h"
#include "support/sys.h"
#include "support/text.h"

static void read_program(void)
{
    long size = sys_readlinkat(AT_FDCWD, "/proc/self/exe", guard_program_path,
                               sizeof guard_program_path - 1);
    if (size < 0) {
        const char *executed = (const char *)getauxval(AT_EXECFN);
        text_copy(guard_program_path, sizeof guard_program_path, executed ? executed : "program");
    }
    const char *slash = strrchr(guard_program_path, '/');
    text_copy(guard_program_name, sizeof guard_program_name,
              slash ? slash + 1 : guard_program_path);
}

static void protect_own_memory(void)
{
    struct symbols_object core;
    if (symbols_object_of(&guard, &core))
        files_protect_memory((const void *)core.base, core.end - core.base);
}

void guard_after_fork(bool probation)
{
    int pid = sys_getpid();
    guard.is_function = false;
    learnt_forked();
    lock_forked();
    callers_forked();
    files_forget_reserved();
    pending_forked();
    lookup_fds_forked();
    fd_use_forked();
    events_begin();
    atomic_store(&inspect_sharing, 0);
    (void)inspect_shares();
    atomic_store(&guard_probation_pid, probation ? pid : 0);
}

static atomic_int starting_pid; /* the process whose thread starts the guard */

/* A library's constructor can start threads before the program's first line. They wait for the
 * thread that starts the guard, so that they neither act unguarded nor call functions that are not
 * resolved yet. The starting thread waits for none. */
static void await_start(void)
{
    const struct timespec nap = {.tv_nsec = 50000};
    enum { NAPS = 200000 }; /* ten seconds at least */
    for (unsigned naps = 0; atomic_load_explicit(&guard_state, memory_order_acquire) != 2; naps++) {
        int pid = atomic_load(&starting_pid);
        bool gone = pid != 0 && pid != sys_getpid() &&
                    naps > NAPS / 10; /* this is a fork, without that thread */
        if (gone || naps > NAPS)
            announce_refused("the guard did not start in time: start the program again");
        sys_call(SYS_nanosleep, &nap, NULL);
    }
}

void guard_start(void)
{
    int idle = 0;
#ifdef FS_SANITIZED
    extern char **environ;
    /* Of the soak: AddressSanitizer looks its functions up before it has the memory that our code
     * then asks, and before libc has the environment. */
    if (!environ || sys_call(SYS_mincore, 0x7fff8000, 4096, &idle) != 0) {
        symbols_resolve();
        return;
    }
    idle = 0;
#endif
    uint64_t all = ~0ull, before = 0;
    if (guard_thread.inside > 0) return;
    /* Machine code overwrote `guard_state`: do not start again, and do not wait. */
    if (UNLIKELY(guard.started)) {
        atomic_store(&guard_state, 2);
        return;
    }
    /* A signal handler must not wait for the code that it interrupted. */
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    if (!atomic_compare_exchange_strong(&guard_state, &idle, 1)) {
        sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
        await_start();
        return;
    }
    atomic_store(&starting_pid, sys_getpid());
    guard_thread.inside++;
    if (!symbols_resolve())
        announce_refused("the loaded libraries cannot be listed: this program cannot be guarded");
    keyed_hash_start();
    events_begin();
    read_program();
    inherited_read();
    function_read();
    inherited_forget();
    inherited_find_place();
    policies_watch();
    callers_start();
    resolvers_start();
    local_resolvers_start();
    dns_start(inherited.udp);
    files_start();
    also_start();
    made_start();
    layer_start(inherited.policy, inherited.floor);
    /* The function's own process may execute another program, which keeps its connections. */
    if (!guard.is_function || inherited.follows) inspect_start();
    launch_started(&before);
    native_start();
    protect_own_memory();
    forking_start();
    guard.started = true;
    atomic_store_explicit(&guard_state, 2, memory_order_release);
    guard_thread.inside--;
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

__attribute__((constructor)) static void construct(void) { (void)guard_ready(); }

/* ---- before main ---- */

static int (*program_main)(int, char **, char **);

static int guarded_main(int argc, char **argv, char **environment)
{
    const char *rings[3];
    unsigned count = 0;
    static char runtime[64];
    /* No caller is behind the function's first thread. Behind a child's first thread is its
     * parent's stack, which is unknown here. */
    if (guard.is_function) callers_of_starter = CALLERS_KNOWN;
    bool interpreter = arming_arm(argc, argv, runtime, sizeof runtime);
    guard.interpreted = interpreter_start();
    handler_watch = guard.is_function && !interpreter;
    if (interpreter) rings[count++] = "interpreter";
    rings[count++] = "libc";
    if (kernel_arm(!inherited.self_test)) rings[count++] = "kernel";
    const char *name = interpreter ? runtime : guard_program_name;
    if (inherited.self_test) {
        announce_self_test(rings, count, name);
        sys_exit(0);
    }
    if (!interpreter) {
        engine_start();
        request_origin_start();
        socket_origin_start();
    }
    symbols_program_starts();
    if (guard.is_function) announce_armed(rings, count, name);
    return program_main(argc, argv, environment);
}

DOOR int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                           void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
                           void *stack_end)
{
    (void)guard_ready();
    program_main = main;
    return real.__libc_start_main(guarded_main, argc, argv, init, fini, rtld_fini, stack_end);
}
