/* The system's name servers (resolv.conf(5)). */
#include "network/names/resolvers.h"

#include <stdatomic.h>
#include <string.h>

#include "network/addresses.h"
#include "guard/facts.h"
#include "guard/guard.h"
#include "support/lock.h"
#include "support/sys.h"

enum { SERVERS = 16, FILE_MAX = 4096 }; /* libc reads three servers, c-ares more */

static const char place[] = FACTS_NAME_SERVERS;

static struct server {
    uint8_t ip[16], version;
} servers[SERVERS];
static atomic_uint first, count; /* entries in between are whole, and stay as they are */
LOCK(adding);

static bool known(const uint8_t ip[16], uint8_t version)
{
    unsigned end = atomic_load_explicit(&count, memory_order_acquire);
    for (unsigned i = atomic_load(&first); i < end; i++) {
        if (address_equal(ip, version, servers[i].ip, servers[i].version)) return true;
    }
    return false;
}

static void add(const char *text, size_t length)
{
    char host[ADDRESS_TEXT_MAX + 20]; /* with a scope */
    struct server server;
    unsigned at = atomic_load_explicit(&count, memory_order_relaxed);
    if (at == SERVERS || length == 0 || length >= sizeof host) return;
    memcpy(host, text, length);
    host[length] = '\0';
    if (!address_parse(host, server.ip, &server.version) || known(server.ip, server.version))
        return;
    servers[at] = server;
    atomic_store_explicit(&count, at + 1, memory_order_release);
}

static void read_line(const char *line, size_t size)
{
    static const char word[] = "nameserver";
    size_t at = sizeof word - 1;
    if (size <= at || memcmp(line, word, at) != 0 || (line[at] != ' ' && line[at] != '\t')) return;
    while (at < size && (line[at] == ' ' || line[at] == '\t')) at++;
    size_t end = at;
    while (end < size && line[end] > ' ') end++;
    add(line + at, end - at);
}

static void read_server(void *context, const char *line, size_t size)
{
    (void)context;
    read_line(line, size);
}

struct wanted {
    const char *domain;
    size_t length;
    bool listed;
};

static void read_domains(void *context, const char *line, size_t size)
{
    struct wanted *wanted = context;
    if (size < 7 || (memcmp(line, "search", 6) != 0 && memcmp(line, "domain", 6) != 0)) return;
    for (size_t at = 6; at < size;) {
        while (at < size && (line[at] == ' ' || line[at] == '\t')) at++;
        size_t end = at;
        while (end < size && line[end] > ' ') end++;
        if (end - at == wanted->length && memcmp(line + at, wanted->domain, end - at) == 0)
            wanted->listed = true;
        at = end + 1;
    }
}

/* Each line of the file. */
static void read_file(int flags, void (*take)(void *context, const char *line, size_t size),
                      void *context)
{
    char text[FILE_MAX];
    int fd = sys_openat(AT_FDCWD, place, O_RDONLY | O_CLOEXEC | flags, 0);
    long size = fd < 0 ? 0 : sys_read(fd, text, sizeof text);
    if (fd >= 0) sys_close(fd);
    const char *at = text, *end = text + (size > 0 ? size : 0);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) stop = end;
        take(context, at, (size_t)(stop - at));
        at = stop + 1;
    }
}

/* Addresses with spaces between. */
static void read_list(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        add(text, length);
        text += length + (text[length] != '\0');
    }
}

static void write_list(char *out)
{
    unsigned end = atomic_load(&count);
    unsigned begin = atomic_load(&first);
    for (unsigned i = begin; i < end; i++) {
        if (i > begin) *out++ = ' ';
        address_text(servers[i].ip, servers[i].version, out);
        out += strlen(out);
    }
    *out = '\0';
}

static void state_list(void (*state)(const char *name, const char *value))
{
    char list[SERVERS * (ADDRESS_TEXT_MAX + 1)];
    write_list(list);
    state(place, list);
}

void resolvers_start(void)
{
    const char *given = facts_value(place);
    if (given != NULL) {
        read_list(given);
        return;
    }
    read_file(0, read_server, NULL);
    /* Without one, libc asks this machine. */
    if (atomic_load(&count) == 0) add("127.0.0.1", 9);
    state_list(facts_state);
}

static bool writable(const char *path)
{
    return sys_call(SYS_faccessat, AT_FDCWD, path, 2 /* W_OK */) == 0;
}

/* Reads the file again, if no code in this process could have written it. Does not follow a link,
 * because its target may lie anywhere. `renew`: replaces the servers that were known. */
static void refresh(bool renew)
{
    if (writable(place) || writable("/etc") || !lock_take(&adding)) return;
    unsigned before = atomic_load(&first), end = atomic_load(&count);
    if (renew) atomic_store(&first, end);
    read_file(O_NOFOLLOW, read_server, NULL);
    if (atomic_load(&count) == end) atomic_store(&first, before);
    if (renew) state_list(facts_restate);
    lock_give(&adding);
}

void resolvers_renew(void) { refresh(true); }

bool resolvers_has(const uint8_t ip[16], uint8_t version)
{
    if (LIKELY(known(ip, version))) return true;
    refresh(false);
    return known(ip, version);
}

bool resolvers_search(const char *domain)
{
    struct wanted wanted = {.domain = domain, .length = strlen(domain)};
    const char *own = strchr(guard.host_name, '.');
    if (own != NULL && strcmp(own + 1, domain) == 0) return true;
    read_file(0, read_domains, &wanted);
    return wanted.listed;
}

bool resolvers_are_here(void)
{
    unsigned end = atomic_load_explicit(&count, memory_order_acquire);
    for (unsigned i = atomic_load(&first); i < end; i++) {
        if (address_is_loopback(servers[i].ip, servers[i].version)) return true;
    }
    return false;
}
