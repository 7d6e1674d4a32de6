#include "events/sink.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "guard/guard.h"
#include "events/json.h"
#include "support/sys.h"
#include "support/text.h"

/* How long the function may wait for the log's reader, in microseconds: in one invocation, for one
 * event, and before memory is lost. */
enum { WAIT_IN_ALL = 8000, WAIT_ONCE = 2000, WAIT_LAST = 4000 };
/* KEPT lines at most, and beyond those the first of each rule: no act hides behind a flood of
 * others. */
enum { KEPT = 32, PLACES = 64, REFUSAL = 1000000 };
_Static_assert(KEPT + FS_FAMILIES + 1 <= PLACES, "a place for each rule's first line");

/* How to write to the fd without waiting. */
enum kind {
    OWN, /* an open file description of the guard's own that does not block, or a file */
    PIPE, /* shared with the program's own output, which decides whether it blocks */
    SOCKET,
    SHARED, /* another thing, shared */
};

static enum kind kind = SHARED;

/* Lines that found no room, in order. A thread takes a slot by advancing `newest`; only the thread
 * that holds `writing` advances `oldest`. The fields that every process resets lie together, so
 * that resetting touches no page of the lines. */
static struct {
    atomic_bool whole;
    unsigned short size;
} kept[PLACES];
static char kept_lines[PLACES][JSON_LINE_MAX];
static _Atomic uint32_t oldest, newest;
static _Atomic uint32_t waits; /* a bit for each rule that has a line there */

static atomic_bool writing;

/* The rest of a line that the sink took in part, as a stream socket or a terminal may. Belongs to
 * the writing thread. */
static char rest[JSON_LINE_MAX];
static size_t rest_size;

static _Atomic int owner; /* the process whose lines these are */
static _Atomic int waiting = WAIT_IN_ALL; /* what is left of it */
static atomic_bool was_read; /* there was room, since that was counted anew */
static _Atomic uint32_t lost;

/* ---- start ---- */

/* Opens the same pipe or terminal again: O_NONBLOCK on the guard's own description affects no other
 * code, and the program's flags (O_NONBLOCK, O_DIRECT) do not affect the guard. The kernel refuses
 * this if the pipe belongs to another user. */
static bool reopen(int fd, const struct stat *status)
{
    char magic[32];
    struct stat again;
    text_fd_path(magic, fd);
    int own = sys_openat(AT_FDCWD, magic, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    if (own < 0) return false;
    bool same = sys_fstat(own, &again) == 0 && again.st_dev == status->st_dev &&
                again.st_ino == status->st_ino && again.st_rdev == status->st_rdev &&
                sys_call(SYS_dup3, own, fd, 0) >= 0;
    sys_close(own);
    return same;
}

void sink_open(int fd)
{
    struct stat status;
    /* Standard fds belong to the program. Without an fd of the guard's own, events go to fd 2,
     * unprotected. */
    if (fd <= 2 || sys_fstat(fd, &status) != 0) {
        fd = (int)sys_call(SYS_fcntl, 2, F_DUPFD, 900);
        if (fd < 0) fd = (int)sys_call(SYS_fcntl, 2, F_DUPFD, 3);
        if (fd < 0 || sys_fstat(fd, &status) != 0) return;
    }
    guard.event_fd = fd;
    guard.event_dev = status.st_dev;
    guard.event_ino = status.st_ino;
    guard.event_mode = status.st_mode;
    if (S_ISREG(status.st_mode))
        kind = OWN;
    else if (S_ISSOCK(status.st_mode))
        kind = SOCKET;
    else if ((S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) && reopen(fd, &status))
        kind = OWN;
    else
        kind = S_ISFIFO(status.st_mode) ? PIPE : SHARED;
    for (int standard = 1; standard <= 2; standard++) {
        struct stat other;
        guard.shares_pipe[standard - 1] = sys_fstat(standard, &other) == 0 && sink_is(&other);
    }
}

bool sink_is(const struct stat *status)
{
    return status->st_ino == guard.event_ino && status->st_dev == guard.event_dev &&
           guard.event_fd >= 0;
}

bool sink_leads(int fd)
{
    struct stat status;
    return sys_fstat(fd, &status) == 0 && sink_is(&status);
}

bool sink_would_shrink(int fd, int size)
{
    return S_ISFIFO(guard.event_mode) && sink_leads(fd) &&
           size < sys_call(SYS_fcntl, fd, F_GETPIPE_SZ);
}

/* ---- one write ---- */

static bool has_room(int fd, int microseconds)
{
    struct pollfd ask = {.fd = fd, .events = POLLOUT};
    struct timespec limit = {.tv_sec = microseconds / 1000000,
                             .tv_nsec = microseconds % 1000000 * 1000l};
    return sys_call(SYS_ppoll, &ask, 1, &limit, NULL, 0) > 0;
}

/* Gives a page to the pipe, which takes it without waiting, whatever the flags of the description.
 * Afterwards the page belongs to the pipe. */
static long give_page(int fd, const char *bytes, size_t size)
{
    char *page = sys_scratch(JSON_LINE_MAX);
    if (page == NULL) return -ENOMEM;
    memcpy(page, bytes, size);
    struct iovec part = {page, size};
    long given = sys_call(SYS_vmsplice, fd, &part, 1, 2 /* SPLICE_F_NONBLOCK */);
    sys_scratch_free(page, JSON_LINE_MAX);
    return given;
}

/* The result of one call. */
struct work {
    bool broken; /* a pipe without a reader: SIGPIPE is pending */
    int waiting; /* microseconds that it may still wait */
};

/* Bytes written, or -errno; -EAGAIN where there is no room. */
static long put(struct work *work, const char *bytes, size_t size)
{
    int fd = guard.event_fd;
    long written = -EBADF;
    bool shared = kind == SHARED;
    if (UNLIKELY(!sink_leads(fd))) {
        /* Machine code or libc itself closed it; only fd 2 is left. */
        fd = 2;
        shared = true;
    } else if (kind == SOCKET) {
        written = sys_call(SYS_sendto, fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
    } else if (kind == OWN) {
        written = sys_write(fd, bytes, size);
    } else if (kind == PIPE) {
        written = give_page(fd, bytes, size);
        /* A sandbox may lack the call, and a program may leave no memory. */
        shared = written < 0 && written != -EAGAIN && written != -EPIPE && written != -EINTR;
    }
    if (shared) written = has_room(fd, 0) ? sys_write(fd, bytes, size) : -EAGAIN;
    if (written == -EPIPE) work->broken = true;
    return written;
}

static int64_t now(void)
{
    struct timespec time = {0};
    sys_call(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000l + time.tv_nsec / 1000;
}

static bool await_room(struct work *work)
{
    int in_all = atomic_load(&waiting), most = work->waiting < in_all ? work->waiting : in_all;
    if (most <= 0) return false;
    int64_t begun = now();
    bool room = has_room(guard.event_fd, most);
    int64_t took = now() - begun;
    int used = took < 1 ? 1 : took < WAIT_IN_ALL ? (int)took : WAIT_IN_ALL;
    work->waiting -= used;
    atomic_fetch_sub(&waiting, used);
    return room;
}

enum outcome { DONE, NO_ROOM, FAILED };

/* Advances `*bytes` and `*size` by what was written. */
static enum outcome put_whole(struct work *work, const char **bytes, size_t *size)
{
    enum { TRIES = 256 };
    for (unsigned tries = 0; *size > 0 && tries < TRIES; tries++) {
        long written = put(work, *bytes, *size);
        if (written == -EINTR) continue;
        if (written == -EAGAIN) {
            if (!await_room(work)) return NO_ROOM;
            continue;
        }
        if (written <= 0) return FAILED;
        atomic_store(&was_read, true);
        *bytes += written;
        *size -= (size_t)written;
    }
    return *size > 0 ? NO_ROOM : DONE;
}

static void keep_rest(const char *bytes, size_t size)
{
    memmove(rest, bytes, size);
    rest_size = size;
}

static bool keep(const char *line, size_t size, unsigned rule)
{
    uint32_t at = atomic_load(&newest), bit = 1u << rule;
    uint32_t most = atomic_fetch_or(&waits, bit) & bit ? KEPT : PLACES;
    do
        if (at - atomic_load(&oldest) >= most) return false;
    while (!atomic_compare_exchange_weak(&newest, &at, at + 1));
    memcpy(kept_lines[at % PLACES], line, size);
    kept[at % PLACES].size = (unsigned short)size;
    atomic_store_explicit(&kept[at % PLACES].whole, true, memory_order_release);
    return true;
}

/* Returns true if no earlier line is left. */
static bool drain(struct work *work)
{
    const char *bytes = rest;
    size_t size = rest_size;
    enum outcome outcome = put_whole(work, &bytes, &size);
    if (outcome == FAILED) {
        sink_count_lost(1);
        size = 0;
    }
    keep_rest(bytes, size);
    while (rest_size == 0) {
        uint32_t at = atomic_load(&oldest);
        unsigned place = at % PLACES;
        if (at == atomic_load(&newest)) {
            atomic_store(&waits, 0);
            return true;
        }
        /* Another thread is just storing its line there. It will see that the line was not written.
         */
        if (!atomic_load_explicit(&kept[place].whole, memory_order_acquire)) return false;
        bytes = kept_lines[place];
        size = kept[place].size;
        outcome = put_whole(work, &bytes, &size);
        if (outcome == NO_ROOM && size == kept[place].size) return false;
        if (outcome == FAILED) sink_count_lost(1);
        if (outcome == NO_ROOM) keep_rest(bytes, size);
        atomic_store(&kept[place].whole, false);
        atomic_store(&oldest, at + 1);
    }
    return false;
}

/* ---- lines ---- */

static bool anything_kept(void)
{
    return atomic_load(&oldest) != atomic_load(&newest) || rest_size > 0;
}

/* A forked child has no lines here before its first event. */
static bool keeps_own(void)
{
    return UNLIKELY(anything_kept()) && atomic_load(&owner) == sys_getpid();
}

void sink_adopt(void)
{
    int pid = sys_getpid();
    if (atomic_load(&owner) == pid) return;
    for (unsigned i = 0; i < PLACES; i++) atomic_store(&kept[i].whole, false);
    atomic_store(&oldest, 0);
    atomic_store(&newest, 0);
    atomic_store(&writing, false);
    atomic_store(&waiting, WAIT_IN_ALL);
    atomic_store(&lost, 0);
    atomic_store(&waits, 0);
    rest_size = 0;
    atomic_store(&owner, pid);
}

/* A broken pipe must not kill the function, so SIGPIPE is blocked and consumed. All other signals
 * are blocked too: a handler that jumped out of here would leave `writing` set, and no thread would
 * write again. */
#define BROKEN_PIPE ((uint64_t)1 << (SIGPIPE - 1))

static uint64_t block_signals(void)
{
    uint64_t all = ~UINT64_C(0), before = 0;
    sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
    return before;
}

static void release_signals(uint64_t before, bool came)
{
    uint64_t broken = BROKEN_PIPE;
    struct timespec none = {0};
    if (came && !(before & broken))
        sys_call(SYS_rt_sigtimedwait, &broken, NULL, &none, sizeof broken);
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
}

/* One thread writes at a time, and no thread waits for it. Another thread leaves its line for the
 * writer, which checks for lines again after it has stopped writing. Returns true if `line` was
 * written or kept. */
static bool write_all(const char *line, size_t size, unsigned rule, int may_wait)
{
    enum { TURNS = 4 };
    struct work work = {false, may_wait};
    uint64_t before = block_signals();
    bool saved = true, room = true;
    for (unsigned turn = 0; turn < TURNS && room && (size > 0 || anything_kept()); turn++) {
        room = false;
        if (!atomic_exchange(&writing, true)) {
            const char *left = line;
            size_t more = size;
            room = drain(&work);
            if (room && size > 0) {
                enum outcome outcome = put_whole(&work, &left, &more);
                if (outcome == NO_ROOM && more < size) keep_rest(left, more);
                if (outcome == FAILED) saved = false;
                if (outcome != NO_ROOM || more < size) size = 0;
                room = outcome == DONE;
            }
            atomic_store(&writing, false);
        } else {
            room = size > 0; /* once more, after it is left there: the thread that writes may just
                                have stopped */
        }
        if (size > 0 && !keep(line, size, rule)) saved = false;
        size = 0;
    }
    release_signals(before, work.broken);
    return saved;
}

bool sink_write(const char *line, size_t size, unsigned rule)
{
    sink_adopt();
    return write_all(line, size, rule, WAIT_ONCE);
}

void sink_flush_last(void)
{
    if (!keeps_own()) return;
    atomic_store(&waiting, atomic_load(&was_read) ? WAIT_LAST : 0);
    write_all(NULL, 0, 0, WAIT_LAST);
}

void sink_await_room(void) { (void)has_room(guard.event_fd >= 0 ? guard.event_fd : 2, REFUSAL); }

void sink_invocation_begins(void)
{
    if (atomic_exchange(&was_read, false)) atomic_store(&waiting, WAIT_IN_ALL);
    if (keeps_own()) write_all(NULL, 0, 0, 0);
}

void sink_count_lost(uint32_t lines) { atomic_fetch_add(&lost, lines); }
uint32_t sink_take_lost(void) { return atomic_exchange(&lost, 0); }

__attribute__((destructor)) static void leave(void) { sink_flush_last(); }
