/* fds that libc opens for a lookup. See lookup_fds.h. */
#include "network/names/lookup_fds.h"

#include "network/dns/dns_marks.h"
#include "guard/guard.h"
#include "network/network.h"
#include "network/first_bytes/pending.h"
#include "support/sys.h"

static __thread bool counts __attribute__((tls_model("initial-exec")));

bool lookup_fds_begin(void)
{
    if (guard_ignores(FS_OUTBOUND)) return false;
    if (!counts) atomic_fetch_add(&guard_fd_watches, GUARD_LOOKUP);
    counts = true;
    return true;
}

void lookup_fds_end(bool counted)
{
    if (!counted) return;
    counts = false;
    atomic_fetch_sub(&guard_fd_watches, GUARD_LOOKUP);
}

void lookup_fds_begin_for_good(void)
{
    static atomic_flag begun = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&begun)) atomic_fetch_add(&guard_fd_watches, GUARD_LOOKUP);
}

void lookup_fds_forked(void)
{
    if (LIKELY(!guard_has_lookups())) return;
    /* Those of threads that the child does not have. */
    uint64_t others = (atomic_load(&guard_fd_watches) >> 32) - counts;
    atomic_fetch_sub(&guard_fd_watches, others * GUARD_LOOKUP);
    dns_start(true);
}

/* What libc reads before it asks a name server. */
static bool is_read_by_libc(int fd)
{
    static const char *const files[] = {"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"};
    struct stat own, other;
    if (sys_fstat(fd, &own) != 0 || !S_ISREG(own.st_mode)) return false;
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        if (sys_fstatat(AT_FDCWD, files[i], &other, 0) == 0 && own.st_dev == other.st_dev &&
            own.st_ino == other.st_ino)
            return true;
    return false;
}

bool lookup_fds_refuses(int fd, const char *verb, const void *caller)
{
    if (!guard_ready() || guard_resolving() || guard_ignores(FS_OUTBOUND)) return false;
    if (fd < 0 || !((!dns_is_marked(fd) && dns_may_ask(fd)) || is_read_by_libc(fd))) return false;
    return network_refuses_kind(verb, "a lookup's fd", caller);
}
