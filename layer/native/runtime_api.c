/* The Runtime API: its client, its conversation, and the little that others may ask. */
#include "runtime_api.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "addresses.h"
#include "facts.h"
#include "guard.h"
#include "http.h"
#include "mappings.h"
#include "network.h"
#include "state.h"
#include "sys.h"
#include "turn.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

__thread bool runtime_client_asked __attribute__((tls_model("initial-exec")));
_Atomic int runtime_api_fd = -1;
atomic_bool runtime_api_narrow;

static _Atomic uint64_t client_cookie;
static _Atomic uintptr_t client_low, client_high; /* its code */

/* ---- at start ---- */

static bool credentials_here; /* AWS_CONTAINER_CREDENTIALS_FULL_URI is on the Runtime API */
static struct timespec began;

static bool same_endpoint(const char *uri)
{
    static const char scheme[] = "http://";
    if (strncmp(uri, scheme, sizeof scheme - 1) != 0) return false;
    const char *authority = uri + sizeof scheme - 1;
    size_t length = strcspn(authority, "/?#");
    char host[256];
    if (length == 0 || length >= sizeof host) return false;
    memcpy(host, authority, length);
    host[length] = '\0';
    uint32_t port = 80;
    char *colon = strrchr(host, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        port = 0;
        for (const char *digit = colon + 1; *digit >= '0' && *digit <= '9' && port <= UINT16_MAX; digit++)
            port = port * 10 + (uint32_t)(*digit - '0');
        *colon = '\0';
    }
    if (port != guard.runtime_api_port || guard.runtime_api_port == 0) return false;
    uint8_t ip[16], version;
    if (address_parse(host, ip, &version)) return runtime_api_is(ip, version, (uint16_t)port, NULL);
    return strcmp(host, guard.runtime_api_host) == 0 || (strcmp(host, "localhost") == 0 && guard.runtime_api_ip_version != 0 &&
           address_is_loopback(guard.runtime_api_ip, guard.runtime_api_ip_version));
}

__attribute__((constructor)) static void remember_start(void)
{
    clock_gettime(CLOCK_REALTIME, &began);
    if (!guard_ready() || guard.runtime_api_host[0] == '\0') return;
    const char *uri = facts_value("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    credentials_here = uri && same_endpoint(uri);
}

/* ---- who ---- */

bool runtime_api_is_host(const char *name)
{
    return guard.runtime_api_host[0] != '\0' && strcasecmp(name, guard.runtime_api_host) == 0;
}

bool runtime_api_is(const uint8_t ip[16], uint8_t version, uint16_t port, const struct learnt_names *names)
{
    if (LIKELY(port != guard.runtime_api_port) || guard.runtime_api_host[0] == '\0') return false;
    if (guard.runtime_api_ip_version != 0) {
        uint8_t own[16];
        memcpy(own, guard.runtime_api_ip, sizeof own);
        uint8_t own_version = address_normalise(own, guard.runtime_api_ip_version);
        return address_equal(ip, version, own, own_version) ||
               (address_is_loopback(own, own_version) && address_is_loopback(ip, version));
    }
    struct learnt_names found;
    if (names == NULL) {
        learnt_find(ip, version, &found);
        names = &found;
    }
    for (unsigned i = 0; i < names->count; i++) {
        if (runtime_api_is_host(names->names[i])) return true;
    }
    return false;
}

static bool under_tmp(const char *path, const struct stat *status)
{
    return strncmp(path, "/tmp/", 5) == 0 || strncmp(path, "/dev/shm/", 9) == 0 ||
           (guard.tmp_is_mount && status->st_dev == guard.tmp_dev);
}

static bool ends(const char *text, const char *suffix)
{
    size_t length = strlen(text), more = strlen(suffix);
    return length >= more && strcmp(text + length - more, suffix) == 0;
}

/* A path that was replaced or removed since fails by its change time or by the kernel's " (deleted)". */
static bool is_client_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || slash == NULL) return false;
    const char *name = slash + 1;
    if (!((strncmp(name, "runtime_client", 14) == 0 && ends(name, ".so")) ||
          (strncmp(name, "rapid-client", 12) == 0 && ends(name, ".node"))))
        return false;
    struct stat status;
    if (sys_fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) return false;
    if (under_tmp(path, &status)) return false;
    /* Times in an image may be anybody's, but nobody writes there. */
    struct statfs system;
    if (sys_call(SYS_statfs, path, &system) == 0 && system.f_flags & 1 /* ST_RDONLY */) return true;
    return status.st_ctim.tv_sec < began.tv_sec ||
           (status.st_ctim.tv_sec == began.tv_sec && status.st_ctim.tv_nsec <= began.tv_nsec);
}

static bool is_node_itself(const char *path)
{
    return strcmp(path, guard_program_path) == 0 && strncmp(guard_program_name, "node", 4) == 0;
}

enum runtime_asker runtime_api_asker(const void *caller)
{
    if (runtime_client_asked) return RUNTIME_CLIENT;
    struct mapping mapping;
    bool known = mapping_of(caller, &mapping);
    if (known && is_client_file(mapping.path)) return RUNTIME_CLIENT;
    return credentials_here || (known && is_node_itself(mapping.path)) ? RUNTIME_NARROW : RUNTIME_STRANGER;
}

/* ---- which socket ---- */

/* State about sockets belongs to the socket: its cookie survives dup, fork and SCM_RIGHTS. 0: none. */
static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return 0;
    return cookie;
}

#define KEPT 16

static _Atomic uint64_t clients[KEPT]; /* cookies of connections that may say anything */
static _Atomic unsigned next_client;

struct narrow {
    uint64_t cookie;
    struct http_requests requests;
    bool released; /* reported in alert mode: says what it likes */
};
static struct narrow narrows[KEPT];
static unsigned next_narrow;
static struct turn table;
static __thread bool at_table __attribute__((tls_model("initial-exec")));

static bool take_table(void) { return turn_take(&table, &at_table); }

static void give_table(void) { turn_give(&table, &at_table); }

void runtime_api_forked(void) { turn_reset(&table, &at_table); }

/* In the table's care. Who was pushed out starts again from nothing said: that can refuse, never allow. */
static struct narrow *narrow_of(uint64_t cookie, uint8_t permits)
{
    for (unsigned i = 0; i < KEPT; i++) {
        if (narrows[i].cookie == cookie) return &narrows[i];
    }
    struct narrow *narrow = &narrows[next_narrow++ % KEPT];
    *narrow = (struct narrow){.cookie = cookie, .requests = {.permits = permits}};
    return narrow;
}

static bool is_known_narrow(uint64_t cookie)
{
    for (unsigned i = 0; i < KEPT; i++) {
        if (narrows[i].cookie == cookie) return true;
    }
    return false;
}

static bool is_client(uint64_t cookie)
{
    for (unsigned i = 0; i < KEPT; i++) {
        if (atomic_load_explicit(&clients[i], memory_order_relaxed) == cookie) return true;
    }
    return false;
}

static bool reaches_runtime_api(int fd)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (sys_call(SYS_getpeername, fd, &peer, &size) != 0) return false;
    struct address address;
    address_read(&peer, size, false, &address);
    return address.kind == ADDRESS_IP && runtime_api_is(address.ip, address.version, address.port, NULL);
}

bool runtime_api_connects(int fd, enum runtime_asker asker, const void *caller)
{
    uint64_t cookie = cookie_of(fd);
    bool asked = runtime_client_asked;
    runtime_client_asked = false;
    if (cookie == 0) return asker == RUNTIME_CLIENT;
    if (asker == RUNTIME_NARROW) {
        struct mapping mapping;
        uint8_t permits = credentials_here ? HTTP_CREDENTIALS : 0;
        if (mapping_of(caller, &mapping) && is_node_itself(mapping.path)) permits |= HTTP_INIT_ERROR;
        if (!take_table()) return false;
        narrow_of(cookie, permits);
        give_table();
        atomic_store(&runtime_api_narrow, true);
        return true;
    }
    atomic_store(&clients[atomic_fetch_add(&next_client, 1) % KEPT], cookie);
    struct mapping mapping;
    if (asked || !mapping_of(caller, &mapping)) return true;
    atomic_store(&client_cookie, cookie);
    atomic_store(&client_low, mapping.low);
    atomic_store(&client_high, mapping.high);
    atomic_store(&runtime_api_fd, fd);
    return true;
}

bool runtime_api_owns(int fd)
{
    if (LIKELY(fd != atomic_load_explicit(&runtime_api_fd, memory_order_relaxed)) || fd < 0) return false;
    if (cookie_of(fd) == atomic_load(&client_cookie)) return true;
    atomic_compare_exchange_strong(&runtime_api_fd, &fd, -1); /* closed, and its number given to another */
    return false;
}

/* ---- what is said ---- */

static struct http_response response;
static atomic_bool awaiting; /* the head of /next's response */

static void client_says(const char *bytes, size_t size)
{
    if (!http_ends_invocation(bytes, size)) return;
    guard_invocation_ends();
    if (!http_asks_next(bytes, size)) return;
    http_response_begin(&response);
    atomic_store(&awaiting, true);
}

void runtime_api_received(int fd, const void *bytes, size_t size)
{
    if (!atomic_load(&awaiting)) return;
    int error = errno;
    char id[HTTP_REQUEST_ID_MAX];
    if (runtime_api_owns(fd)) {
        size_t length = http_response_feed(&response, bytes, size, id);
        if (length > 0) guard_invocation_begins(id, length);
        if (response.arn_size > 0) guard_function_arn(response.arn, response.arn_size);
        if (response.done) atomic_store(&awaiting, false);
    }
    errno = error;
}

/* Somebody speaks to the Runtime API who is not its client. True where that may not be. */
static bool refused(const void *caller)
{
    if (guard_ignores(FS_RUNTIME_API)) return false;
    struct fs_request request = {
        .family = FS_RUNTIME_API,
        .ip_version = guard.runtime_api_ip_version,
        .port = guard.runtime_api_port,
        .facts = &guard.facts,
    };
    memcpy(request.ip, guard.runtime_api_ip, sizeof request.ip);
    struct fs_verdict verdict = guard_decide(&request);
    if (verdict.mode == FS_ALLOW) return false;
    char ip[ADDRESS_TEXT_MAX];
    address_text(guard.runtime_api_ip, guard.runtime_api_ip_version, ip);
    struct guard_act act = {
        .ring = RING_LIBC,
        .family = FS_RUNTIME_API,
        .verb = "send",
        .host = guard.runtime_api_ip_version == 0 ? guard.runtime_api_host : NULL,
        .ip = guard.runtime_api_ip_version == 0 ? NULL : ip,
        .port = guard.runtime_api_port,
        .protocol = "tcp",
        .caller = caller,
    };
    guard_report(&act, &verdict, NULL, 0);
    return verdict.mode == FS_BLOCK;
}

static bool refuse(const void *caller, ssize_t *result)
{
    if (!refused(caller)) return false;
    errno = EACCES;
    *result = -1;
    return true;
}

/* The connection of somebody who may ask for little: what leaves is a copy, judged. */
static bool narrow_sends(int fd, uint64_t cookie, const struct iovec *vector, size_t count, int flags, const void *caller,
                         ssize_t *result)
{
    char bytes[2048];
    size_t size = 0;
    if (count > IOV_MAX) count = IOV_MAX;
    for (size_t i = 0; i < count && size < sizeof bytes; i++) {
        size_t part = vector[i].iov_len;
        if (part > sizeof bytes - size) part = sizeof bytes - size;
        memcpy(bytes + size, vector[i].iov_base, part);
        size += part;
    }
    if (!take_table()) {
        errno = EACCES;
        *result = -1;
        return true;
    }
    struct narrow narrow = *narrow_of(cookie, credentials_here ? HTTP_CREDENTIALS : 0);
    give_table();
    if (narrow.released) return false;
    struct http_requests after = narrow.requests;
    bool fits = http_requests_feed(&after, bytes, size);
    if (!fits && refuse(caller, result)) return true;
    if (fits) {
        *result = real.sendto(fd, bytes, size, flags, NULL, 0);
        if (*result > 0) http_requests_feed(&narrow.requests, bytes, (size_t)*result);
    }
    int error = errno;
    if (take_table()) {
        struct narrow *kept = narrow_of(cookie, narrow.requests.permits);
        kept->requests = narrow.requests;
        kept->released = !fits;
        give_table();
    }
    errno = error;
    return fits;
}

/* Whether `fd` is a connection to the Runtime API of somebody else. `cookie` is set where it is. */
static bool is_narrow(int fd, uint64_t *cookie)
{
    if (!atomic_load_explicit(&runtime_api_narrow, memory_order_relaxed)) return false;
    *cookie = cookie_of(fd);
    if (*cookie == 0 || is_client(*cookie)) return false;
    return is_known_narrow(*cookie) || reaches_runtime_api(fd);
}

bool runtime_api_sends(int fd, const struct iovec *vector, size_t count, int flags, const void *caller, ssize_t *result)
{
    uint64_t cookie;
    if (runtime_api_owns(fd)) {
        uintptr_t address = (uintptr_t)caller;
        if (address < atomic_load(&client_low) || address >= atomic_load(&client_high)) return refuse(caller, result);
        if (count > 0) client_says(vector[0].iov_base, vector[0].iov_len);
        return false;
    }
    if (is_narrow(fd, &cookie)) return narrow_sends(fd, cookie, vector, count, flags, caller, result);
    return false;
}

bool runtime_api_refuses_copy(int fd, const void *caller)
{
    return runtime_api_owns(fd) && refused(caller);
}

bool runtime_api_sends_unseen(int fd, const void *caller, ssize_t *result)
{
    uint64_t cookie;
    if (runtime_api_owns(fd) || is_narrow(fd, &cookie)) return refuse(caller, result);
    return false;
}
