/* Linked to units that were compiled with -finstrument-functions. Makes a fault when the core
 * enters its Nth function between faults_begin() and faults_end(). Each function counts once. */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "support/sys.h"

#define NOT_TRACED __attribute__((no_instrument_function, visibility("default")))
enum { MOST = 4096 };

static const char *entered[MOST];
static unsigned count, fault_at;
static int fault_signal;
static bool armed;

static inline __attribute__((no_instrument_function, always_inline)) void make_fault(void)
{
    armed = false; /* a handler passes doors too */
    if (fault_signal == SIGSEGV)
        *(volatile int *)8 = 0;
    else if (fault_signal == SIGILL)
        __builtin_trap();
    else
        sys_call(SYS_tgkill, sys_call(SYS_getpid), sys_call(SYS_gettid), fault_signal);
}

NOT_TRACED void __cyg_profile_func_enter(const char *function, const void *site)
{
    (void)site;
    if (!armed || count == MOST) return;
    for (unsigned i = 0; i < count; i++)
        if (entered[i] == function) return;
    entered[count++] = function;
    if (count == fault_at) make_fault();
}

NOT_TRACED void __cyg_profile_func_exit(const char *function, const void *site)
{
    (void)function;
    (void)site;
}

/* Make a fault by `signal` in the `at`th function; 0: none. */
NOT_TRACED void faults_begin(unsigned at, int signal)
{
    fault_at = at;
    fault_signal = signal;
    count = 0;
    armed = true;
}

/* Returns how many functions were entered. */
NOT_TRACED unsigned faults_end(void)
{
    armed = false;
    return count;
}
