/* The door of syscall(). A call with a door of its own goes through that door; calls that could
 * undo the guard are refused. Everything else is passed on by a tail call, so that libc's syscall()
 * sees its caller's frame. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/types.h>

#include "support/copied.h"
#include "network/dns/dns_socket.h"
#include "files/files.h"
#include "guard/guard.h"
#include "libc/symbols.h"
#include "events/events.h"
#include "memory/native.h"
#include "network/network.h"
#include "network/first_bytes/pending.h"
#include "processes/forking.h"
#include "processes/program.h"
#include "support/sys.h"

/* Newer than the headers that we build against. Every architecture has these numbers. */
#define NUMBER_CLONE3            435
#define NUMBER_OPENAT2           437
#define NUMBER_FCHMODAT2         452
#define NUMBER_SETXATTRAT        463
#define NUMBER_GETXATTRAT        464
#define NUMBER_LISTXATTRAT       465
#define NUMBER_REMOVEXATTRAT     466
#define NUMBER_OPEN_TREE_ATTR    467
#define NUMBER_FILE_SETATTR      469
#define NUMBER_IO_URING_SETUP    425
#define NUMBER_IO_URING_ENTER    426
#define NUMBER_IO_URING_REGISTER 427
#define NUMBERS                  512
#define X32 0x40000000u /* the x32 interface of x86_64: the same calls by other numbers */

struct call {
    int number;
    long a, b, c, d, e, f;
    const void *caller;
};

typedef long route_function(const struct call *);

static int fails(int error) { return errno = error, -1; }

static long passes(const struct call *call)
{
    return SYS_RESULT(
        sys_call6(call->number, call->a, call->b, call->c, call->d, call->e, call->f));
}

/* ---- numbers with a door ---- */

/* The door under its own name, with the type that the table gives it: headers know some only as
 * macros. */
#define CALLEE(name) extern __typeof__(*real.name) callee_##name __asm__(#name)
#define ROUTE(name, door)                                                                          \
    CALLEE(name);                                                                                  \
    static long route_##name(const struct call *call)                                              \
    {                                                                                              \
        (void)call;                                                                                \
        return door;                                                                               \
    }
/* The same, for doors that check whose code the caller is. */
#define ROUTE_NATIVE(name, door)                                                                   \
    CALLEE(name);                                                                                  \
    static long route_##name(const struct call *call)                                              \
    {                                                                                              \
        native_asked_through(call->caller, __builtin_frame_address(0));                            \
        long result = door;                                                                        \
        native_asked_through(NULL, NULL);                                                          \
        return result;                                                                             \
    }
#include "routes.gen.h"

#define I(x) ((int)call->x)
#define U(x) ((unsigned)call->x)
#define L(x) (call->x)
#define P(x) ((void *)call->x)

/* The kernel's fchmodat has no flags; libc's and fchmodat2 have. */
CALLEE(fchmodat);
static long route_fchmodat(const struct call *call) { return callee_fchmodat(I(a), P(b), U(c), 0); }
static long route_fchmodat2(const struct call *call)
{
    return callee_fchmodat(I(a), P(b), U(c), I(d));
}

/* Without a path it is futimens, which libc's utimensat refuses. */
CALLEE(utimensat);
static long route_utimensat(const struct call *call)
{
    if (call->b == 0) return passes(call);
    return callee_utimensat(I(a), P(b), P(c), I(d));
}

/* libc takes the offset as one argument, the kernel as two halves. On 64-bit systems the first
 * half is all of it. */
CALLEE(pwritev2);
static long route_pwritev2(const struct call *call)
{
    return callee_pwritev2(I(a), P(b), I(c), L(d), I(f));
}

CALLEE(preadv2);
static long route_preadv2(const struct call *call)
{
    return callee_preadv2(I(a), P(b), I(c), L(d), I(f));
}

#ifdef SYS_open
CALLEE(futimesat);
static long route_futimesat(const struct call *call)
{
    if (call->b == 0) return passes(call);
    return callee_futimesat(I(a), P(b), P(c));
}
#endif

/* ---- numbers without one ---- */

/* libc has it since glibc 2.43. The kernel first resolves the path with O_PATH, under the caller's
 * `resolve` flags. The door of openat then opens the object that was found. */
DOOR int openat2(int folder, const char *path, const struct open_how *given, size_t size)
{
    struct open_how how, find = {0};
    char link[48];
    if (!guard_ready()) return real.openat2(folder, path, given, size);
    if (size != sizeof how)
        return guard_integrity().mode == FS_BLOCK ? fails(E2BIG)
                                                  : real.openat2(folder, path, given, size);
    if (!copied_bytes(&how, given, sizeof how)) return fails(EFAULT);
    if ((how.flags >> 32) != 0 || (how.mode & ~07777ull) != 0) return fails(EINVAL);
    if (how.resolve == 0) return callee_openat(folder, path, (int)how.flags, (mode_t)how.mode);
    if (guard_ignores(FS_TMP) && guard_ignores(FS_HANDLER) && guard_integrity().mode != FS_BLOCK)
        return real.openat2(folder, path, given, size);
    find.flags = O_PATH | O_CLOEXEC | (how.flags & (O_NOFOLLOW | O_DIRECTORY));
    find.resolve = how.resolve;
    int found = (int)sys_call(NUMBER_OPENAT2, folder, path, &find, sizeof find);
    if (found == -ENOENT && (how.flags & O_CREAT) != 0)
        return fails(ENOSYS); /* ENOSYS, as in kernels before 5.6: callers then use openat */
    if (found < 0) return fails(-found);
    if ((how.flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        sys_close(found);
        return fails(EEXIST);
    }
    struct stat status;
    if ((how.flags & O_PATH) == 0 && sys_fstat(found, &status) == 0 && S_ISLNK(status.st_mode)) {
        sys_close(found);
        return fails(ELOOP);
    }
    found = files_reserve(found);
    if (found < 0) return fails(-found);
    fs_program_fd_path(found, link);
    int fd = callee_openat(AT_FDCWD, link, (int)how.flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW),
                           (mode_t)how.mode);
    files_release(found);
    return fd;
}

static const char *name_of(int number)
{
    switch (number) {
    case NUMBER_OPEN_TREE_ATTR: return "open_tree_attr";
    case NUMBER_IO_URING_SETUP: return "io_uring_setup";
    case NUMBER_IO_URING_ENTER: return "io_uring_enter";
    case NUMBER_IO_URING_REGISTER: return "io_uring_register";
    case SYS_seccomp: return "seccomp";
    case SYS_userfaultfd: return "userfaultfd";
    case SYS_ptrace: return "ptrace";
    default: return "syscall";
    }
}

static long route_integrity(const struct call *call)
{
    if (integrity_refused("call", name_of(call->number), call->caller)) return -1;
    return passes(call);
}

/* Too new for any libc to use, and missing in older kernels. Refused where something is blocked,
 * with the error of those kernels. */
static long route_too_new(const struct call *call)
{
    return guard_integrity().mode == FS_BLOCK ? fails(ENOSYS) : passes(call);
}

/* libuv (Node, uvloop) asks for a ring whenever a loop starts, and works without one. */
static bool is_libuv(const void *caller)
{
    struct symbols_object object;
    if (!symbols_object_of(caller, &object)) return false;
    if (object.path[0] == '\0') return strncmp(guard_program_name, "node", 4) == 0;
    return strstr(object.path, "/uvloop/") || strstr(object.path, "/libuv.so");
}

/* A ring in memory could do what the doors guard. Callers expect ENOSYS where it is missing. */
static long route_io_uring(const struct call *call)
{
    if (is_libuv(call->caller)) return route_too_new(call);
    if (integrity_refused("call", name_of(call->number), call->caller)) return fails(ENOSYS);
    return passes(call);
}

/* The kernel writes later, from memory that may have changed by then. */
static long route_io_submit(const struct call *call)
{
    bool inspects = guard_has_pending() || atomic_load_explicit(&dns_any, memory_order_relaxed);
    if (UNLIKELY(inspects) && network_refuses_kind("send", "asynchronous", call->caller))
        return fails(EACCES);
    return passes(call);
}

static route_function *const routes[NUMBERS] = {
#include "route_rows.gen.h"
    [SYS_fchmodat] = route_fchmodat,
    [NUMBER_FCHMODAT2] = route_fchmodat2,
    [SYS_utimensat] = route_utimensat,
    [SYS_pwritev2] = route_pwritev2,
    [SYS_preadv2] = route_preadv2,
#ifdef SYS_open
    [SYS_futimesat] = route_futimesat,
#endif
    [SYS_io_submit] = route_io_submit,
    [SYS_ptrace] = route_integrity,
    [SYS_userfaultfd] = route_integrity,
    [SYS_seccomp] = route_integrity,
    [NUMBER_OPEN_TREE_ATTR] = route_integrity,
    [NUMBER_IO_URING_SETUP] = route_io_uring,
    [NUMBER_IO_URING_ENTER] = route_io_uring,
    [NUMBER_IO_URING_REGISTER] = route_io_uring,
    [NUMBER_SETXATTRAT] = route_too_new,
    [NUMBER_GETXATTRAT] = route_too_new,
    [NUMBER_LISTXATTRAT] = route_too_new,
    [NUMBER_REMOVEXATTRAT] = route_too_new,
    [NUMBER_FILE_SETATTR] = route_too_new,
};

/* ---- clone ---- */

/* clone and clone3, whose child returns from this same call. With a stack of its own, only a tail
 * call lets it return to its caller. Returns true if *result is the answer, or false if the call
 * goes on, with the arguments of clone3 in the guard's copy. */
static bool answer_clone(struct call *call, long *result)
{
    static __thread struct clone_arguments {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
            set_tid_size, cgroup;
    } copy __attribute__((tls_model("initial-exec")));
    bool newer = call->number == NUMBER_CLONE3;
    uint64_t flags = (uint64_t)call->a, stack = (uint64_t)call->b;
    if (newer) {
        size_t size = (size_t)call->b;
        memset(&copy, 0, sizeof copy);
        bool sized = size >= 64 && size <= sizeof copy;
        if (!sized || !copied_bytes(&copy, P(a), size)) {
            *result = fails(!sized ? (size < 64 ? EINVAL : E2BIG) : EFAULT);
            return true;
        }
        flags = copy.flags;
        stack = copy.stack;
        call->a = (long)&copy;
    }
    if ((flags & CLONE_THREAD) != 0) {
        forking_parts(flags);
        return false;
    }
    if (stack == 0) {
        if (newer)
            *result = forking_raw_clone3(&copy.flags, &copy, (size_t)call->b, call->caller);
        else
#if defined(__x86_64__)
            *result = forking_raw_clone(flags, P(c), P(d), (unsigned long)call->e, call->caller);
#else
            *result = forking_raw_clone(flags, P(c), P(e), (unsigned long)call->d, call->caller);
#endif
        return true;
    }
    *result = forking_judges_raw_clone(flags, call->caller);
    return *result < 0;
}

typedef long syscall_function(long, long, long, long, long, long, long);

/* Fixed arguments, like libc's, which always passes six. */
DOOR long door_syscall(long number_, long a, long b, long c, long d, long e,
                       long f) __asm__("syscall");
DOOR long door_syscall(long number_, long a, long b, long c, long d, long e, long f)
{
    bool ready = guard_ready();
    syscall_function *next = (syscall_function *)(void *)real.syscall;
    if (UNLIKELY(!next))
        return SYS_RESULT(
            sys_call6(number_, a, b, c, d, e, f)); /* the doors are still being resolved */
    if (!ready) __attribute__
        ((musttail)) return next(number_, a, b, c, d, e, f);
    int number = (int)number_; /* the kernel ignores the upper bits */
#if defined(__x86_64__)
    if (UNLIKELY(((unsigned)number & X32) != 0) && number > 0 && guard_integrity().mode == FS_BLOCK)
        return fails(ENOSYS);
#endif
    if (number < 0 || number >= NUMBERS) __attribute__
        ((musttail)) return next(number_, a, b, c, d, e, f);
    route_function *route = routes[number];
    if (route) {
        struct call call = {number, a, b, c, d, e, f, CALLER()};
        return route(&call);
    }
    if (UNLIKELY(number == SYS_clone || number == NUMBER_CLONE3)) {
        struct call call = {number, a, b, c, d, e, f, CALLER()};
        long result;
        if (answer_clone(&call, &result)) return result;
        a = call.a;
    }
    __attribute__((musttail)) return next(number_, a, b, c, d, e, f);
}

#include "doors_syscalls.gen.h"
