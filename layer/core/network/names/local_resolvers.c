/* Sockets of resolvers on this machine. See local_resolvers.h. */
#include "network/names/local_resolvers.h"

#include <string.h>

#include "guard/facts.h"
#include "guard/guard.h"
#include "support/sys.h"
#include "support/text.h"

enum { DIGITS = 16 };

/* nscd, which libc asks by itself; nss-resolve, Avahi (nss-mdns), SSSD. */
static const char *const places[] = {
    "/var/run/nscd/socket",
    "/run/systemd/resolve/io.systemd.Resolve",
    "/var/run/avahi-daemon/socket",
    "/var/lib/sss/pipes/nss",
};
enum { PLACES = sizeof places / sizeof *places, SSSD = PLACES - 1 };

static const char fact[] = FACTS_LOCAL_RESOLVERS;
static uint64_t noted[PLACES];

static uint64_t more(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(1099511628211) ^ (hash >> 31);
}

/* 0: there is no file. Uses the time of change, because inodes are reused. */
static uint64_t state_of(const char *place)
{
    struct stat status;
    if (LIKELY(sys_fstatat(AT_FDCWD, place, &status, 0) != 0)) return 0;
    uint64_t hash = more(more(UINT64_C(14695981039346656037), status.st_dev), status.st_ino);
    hash = more(more(hash, (uint64_t)status.st_ctim.tv_sec), (uint64_t)status.st_ctim.tv_nsec);
    return hash | 1;
}

static void write_hex(char *out, uint64_t value)
{
    for (unsigned i = DIGITS; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
}

static uint64_t read_hex(const char *text)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < DIGITS; i++) value = value << 4 | (uint64_t)text_hex_digit(text[i]);
    return value;
}

void local_resolvers_start(void)
{
    const char *given = facts_value(fact);
    if (given != NULL && strlen(given) == PLACES * DIGITS) {
        for (unsigned i = 0; i < PLACES; i++) noted[i] = read_hex(given + i * DIGITS);
        return;
    }
    char text[PLACES * DIGITS + 1] = "";
    for (unsigned i = 0; i < PLACES; i++) {
        noted[i] = state_of(places[i]);
        write_hex(text + i * DIGITS, noted[i]);
    }
    text[PLACES * DIGITS] = '\0';
    facts_state(fact, text);
}

bool local_resolvers_any(void)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < PLACES; i++) any |= noted[i];
    return any != 0;
}

/* A daemon was restarted or has ended: a file that another user owns was not made by this process.
 */
static bool is_of_others(unsigned place)
{
    struct stat status;
    uint32_t own[3] = {0};
    (void)sys_call(SYS_getresuid, &own[0], &own[1], &own[2]);
    bool gone = sys_fstatat(AT_FDCWD, places[place], &status, 0) != 0;
    for (unsigned i = 0; i < 3; i++)
        if (own[i] == 0 || (!gone && status.st_uid == own[i])) return false;
    return noted[place] != 0;
}

static bool has_changed(unsigned place)
{
    return UNLIKELY(state_of(places[place]) != noted[place]) && !is_of_others(place);
}

const char *local_resolvers_changed(bool any)
{
    for (unsigned i = 0; i < (any ? PLACES : 1); i++)
        if (has_changed(i)) return places[i];
    return NULL;
}

bool local_resolvers_is(const char *path)
{
    struct stat own, other;
    if (sys_fstatat(AT_FDCWD, path, &own, 0) != 0) return false;
    /* SSSD answers for users and groups, which libc's callers ask for without a lookup. The
     * connection stays open for lookups. */
    for (unsigned i = 0; i < PLACES; i++)
        if (UNLIKELY(sys_fstatat(AT_FDCWD, places[i], &other, 0) == 0) &&
            own.st_dev == other.st_dev && own.st_ino == other.st_ino)
            return i != SSSD || has_changed(SSSD);
    return false;
}
