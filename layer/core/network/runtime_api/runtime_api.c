/* The Runtime API: its client, what the client says, and the few requests of other callers. */
#include "network/runtime_api/runtime_api.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "network/addresses.h"
#include "files/files.h"
#include "files/handler.h"
#include "files/made.h"
#include "guard/facts.h"
#include "guard/guard.h"
#include "events/lines.h"
#include "events/events.h"
#include "network/runtime_api/http.h"
#include "network/first_bytes/fd_use.h"
#include "network/first_bytes/pending.h"
#include "support/copied.h"
#include "support/mappings.h"
#include "network/runtime_api/permits.h"
#include "network/runtime_api/restored.h"
#include "support/sys.h"

__thread bool runtime_api_client_asked __attribute__((tls_model("initial-exec")));
_Atomic uint64_t runtime_api_fds;

/* ---- at start ---- */

static uint8_t permits_here; /* enum permit: for every caller in this process */
static uint8_t permits_node; /* for Node itself */
static bool concurrent; /* this process may serve several invocations at once */
static struct timespec began;

static bool same_authority(const char *authority)
{
    size_t length = strcspn(authority, "/?#");
    char host[256];
    if (length == 0 || length >= sizeof host) return false;
    memcpy(host, authority, length);
    host[length] = '\0';
    uint32_t port = 80;
    char *colon = strrchr(host, ':');
    if (colon != NULL && strchr(colon, ']') == NULL) {
        port = 0;
        for (const char *digit = colon + 1; *digit >= '0' && *digit <= '9' && port <= UINT16_MAX;
             digit++)
            port = port * 10 + (uint32_t)(*digit - '0');
        *colon = '\0';
    }
    if (port != guard.runtime_api_port || guard.runtime_api_port == 0) return false;
    uint8_t ip[16], version;
    if (address_parse(host, ip, &version)) return runtime_api_is(ip, version);
    return strcmp(host, guard.runtime_api_host) == 0 ||
           (strcmp(host, "localhost") == 0 && guard.runtime_api_ip_version != 0 &&
            address_is_loopback(guard.runtime_api_ip, guard.runtime_api_ip_version));
}

static bool same_endpoint(const char *uri)
{
    static const char scheme[] = "http://";
    if (strncmp(uri, scheme, sizeof scheme - 1) != 0) return false;
    return same_authority(uri + sizeof scheme - 1);
}

__attribute__((constructor)) static void remember_start(void)
{
    clock_gettime(CLOCK_REALTIME, &began);
    if (!guard_ready() || guard.runtime_api_host[0] == '\0') return;
    const char *uri = facts_value("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
               *metadata = facts_value("AWS_LAMBDA_METADATA_API");
    if (uri && same_endpoint(uri)) permits_here |= PERMIT_CREDENTIALS;
    if (metadata && same_authority(metadata)) permits_here |= PERMIT_METADATA;
    const char *alternative = facts_value("AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1");
    permits_node = PERMIT_INIT_ERROR | PERMIT_STREAM;
    if (guard.is_function && alternative && strcmp(alternative, "true") == 0)
        permits_node |= PERMIT_NEXT;
    /* Java's client posts errors, and waits for a restore, by HttpURLConnection
     * (LambdaRuntimeApiClientImpl); its native part takes invocations and answers them. */
    if (guard.is_function && strcmp(guard_program_name, "java") == 0)
        permits_here |= PERMIT_INIT_ERROR | PERMIT_ERROR | PERMIT_RESTORES;
    if (guard.is_function && strncmp(guard_program_name, "ruby", 4) == 0)
        permits_here |= PERMIT_INIT_ERROR | PERMIT_RUBY;
    concurrent = facts_value("AWS_LAMBDA_MAX_CONCURRENCY") != NULL;
}

/* ---- the caller ---- */

bool runtime_api_is_host(const char *name)
{
    return guard.runtime_api_host[0] != '\0' && strcasecmp(name, guard.runtime_api_host) == 0;
}

bool runtime_api_is(const uint8_t ip[16], uint8_t version)
{
    if (guard.runtime_api_host[0] == '\0') return false;
    if (guard.runtime_api_ip_version != 0) {
        uint8_t own[16];
        memcpy(own, guard.runtime_api_ip, sizeof own);
        uint8_t own_version = address_normalise(own, guard.runtime_api_ip_version);
        return address_equal(ip, version, own, own_version) ||
               (address_is_loopback(own, own_version) && address_is_loopback(ip, version));
    }
    struct learnt_names found;
    learnt_find(ip, version, &found);
    for (unsigned i = 0; i < found.count; i++)
        if (runtime_api_is_host(found.names[i])) return true;
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

/* A file that was replaced or removed since the start fails here, by its change time, or because
 * the kernel adds " (deleted)" to its path. */
static bool is_client_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || slash == NULL) return false;
    const char *name = slash + 1;
    if (!((strncmp(name, "runtime_client", 14) == 0 && ends(name, ".so")) ||
          (strncmp(name, "rapid-client", 12) == 0 && ends(name, ".node")) ||
          (strncmp(name, "libaws-lambda-jni", 17) == 0 && ends(name, ".so"))))
        return false;
    struct stat status;
    if (sys_fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
        return false;
    if (under_tmp(path, &status)) return false;
    /* Times in an image prove nothing, but on a read-only file system no one can write. */
    struct statfs system;
    if (sys_call(SYS_statfs, path, &system) == 0 && system.f_flags & 1 /* ST_RDONLY */) return true;
    return status.st_ctim.tv_sec < began.tv_sec ||
           (status.st_ctim.tv_sec == began.tv_sec && status.st_ctim.tv_nsec <= began.tv_nsec);
}

static bool is_node_itself(const char *path)
{
    return strcmp(path, guard_program_path) == 0 && strncmp(guard_program_name, "node", 4) == 0;
}

static bool is_node(const void *caller)
{
    struct mapping mapping;
    return mapping_of(caller, &mapping) && is_node_itself(mapping.path);
}

enum runtime_caller runtime_api_caller(const void *caller)
{
    if (runtime_api_client_asked) return RUNTIME_PERMITTED;
    struct mapping mapping;
    bool known = mapping_of(caller, &mapping);
    if (known && is_client_file(mapping.path)) return RUNTIME_CLIENT;
    return permits_here != 0 || (known && is_node_itself(mapping.path)) ? RUNTIME_PERMITTED
                                                                        : RUNTIME_OTHER;
}

/* ---- the socket ---- */

enum { KEPT = 1024 /* Lambda allows as many fds */, TAKEN = -1 };

/* Connections of the client, which may send anything. Each of its threads has its own. State is
 * kept by the socket's cookie, which survives dup, fork and SCM_RIGHTS. A place is used once all
 * before it are, and not emptied again: a search ends at the first empty one. */
struct talk {
    _Atomic uint64_t cookie;
    _Atomic int place; /* its fd + 1; 0: never used; TAKEN: being filled in */
    _Atomic uintptr_t low, high; /* the client's code */
    atomic_bool awaiting; /* the head of /next's response */
    struct http_response response;
};
static struct talk talks[KEPT];
static _Atomic unsigned awaited; /* how many talks are `awaiting` */

bool runtime_api_is_client(uint64_t cookie)
{
    for (unsigned i = 0; i < KEPT && atomic_load(&talks[i].place) != 0; i++)
        if (atomic_load_explicit(&talks[i].cookie, memory_order_relaxed) == cookie) return true;
    return false;
}

static void watch(int fd) { atomic_fetch_or(&runtime_api_fds, (uint64_t)1 << (fd & 63)); }

uint8_t runtime_api_permits(int fd, const void *caller)
{
    /* awslambdaric's Python, known by its frames. It calls functions that other code may have
     * replaced, so the socket may be any code's. */
    if (runtime_api_client_asked) {
        runtime_api_client_asked = false;
        restored_watches(fd);
        watch(fd);
        return permits_here | PERMIT_INIT_ERROR | PERMIT_RESTORES;
    }
    return permits_here | (is_node(caller) ? permits_node : 0);
}

enum { COPY_NAPS = 2000 };
struct copies {
    uint64_t cookie;
    int fd;
    unsigned naps; /* COPY_NAPS: another fd of the socket stays */
};

/* Before another thread forks or spawns, the guard copies each socket for a moment (passing.c). It
 * does so outside fd_use.h, but the program's doors do not: no copy of theirs comes meanwhile. */
static void find_copy(void *context, int fd)
{
    struct copies *copies = context;
    while (fd != copies->fd && copies->naps < COPY_NAPS && pending_cookie(fd) == copies->cookie) {
        copies->naps++;
        lock_pause(SYS_SPINS);
    }
}

/* From here on the socket is not duplicated or passed on, because its fd is watched. But another
 * thread may have done so since the client made it. */
static bool is_alone(int fd, uint64_t cookie, bool blocks)
{
    struct copies copies = {.cookie = cookie, .fd = fd};
    struct pending entry;
    if (pending_find(cookie, &entry) && entry.passed) return false;
    if (blocks && !fd_use_claims_socket(cookie)) return false;
    pending_every_fd(find_copy, &copies);
    if (blocks) fd_use_releases();
    return copies.naps < COPY_NAPS;
}

/* An unused place, one whose connection was closed, or that of `own`, which connects again. NULL if
 * all connections live: code can make a client connect any number of times, and no connection that
 * lives may be forgotten for that. */
static struct talk *take_talk(uint64_t own)
{
    for (unsigned i = 0; i < KEPT; i++) {
        int place = atomic_load(&talks[i].place);
        uint64_t cookie = atomic_load(&talks[i].cookie);
        if (place == TAKEN ||
            (place != 0 && cookie != own && pending_cookie(place - 1) == cookie) ||
            !atomic_compare_exchange_strong(&talks[i].place, &place, TAKEN))
            continue;
        if (LIKELY(atomic_load(&talks[i].cookie) == cookie)) return &talks[i];
        /* Meanwhile another thread took it for a new connection at the same fd. */
        atomic_store(&talks[i].place, place);
    }
    return NULL;
}

/* `client`: where its code lies. */
static void begin_talk(struct talk *talk, uint64_t cookie, int fd, const struct mapping *client)
{
    atomic_store(&talk->cookie, cookie);
    if (atomic_exchange(&talk->awaiting, false)) atomic_fetch_sub(&awaited, 1);
    atomic_store(&talk->low, client->low);
    atomic_store(&talk->high, client->high);
    atomic_store(&talk->place, fd + 1);
    watch(fd);
}

bool runtime_api_connects(int fd, const void *caller)
{
    bool blocks = runtime_api_blocks(), alone = guard_ignores(FS_RUNTIME_API);
    if (blocks) {
        files_pin(fd);
        /* Lambda's clients leave it to the programs that their process starts, which would lose it
         * with an event. */
        sys_call(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
    }
    uint64_t cookie = pending_cookie(fd);
    if (cookie == 0) return true;
    /* Another thread may have lowered the limit on fds since the caller was recognised: a
     * connection that cannot be followed is as another caller's. */
    struct mapping mapping;
    struct talk *talk = mapping_of(caller, &mapping) ? take_talk(cookie) : NULL;
    if (talk != NULL) {
        begin_talk(talk, cookie, fd, &mapping);
        alone = alone || is_alone(fd, cookie, blocks);
    }
    if (alone) pending_remove(cookie);
    return alone;
}

static bool is_clients(const struct talk *talk, const void *caller)
{
    uintptr_t address = (uintptr_t)caller;
    return address >= atomic_load(&talk->low) && address < atomic_load(&talk->high);
}

/* The client's connection at `fd`, unless the `caller` is the client's code: that costs no system
 * call. */
static struct talk *talk_of(int fd, const void *caller)
{
    if (LIKELY(!runtime_api_watches(fd)) || fd < 0) return NULL;
    for (unsigned i = 0; i < KEPT; i++) {
        int place = atomic_load(&talks[i].place);
        if (place == 0) break;
        if (place != fd + 1) continue;
        if (is_clients(&talks[i], caller)) return NULL;
        if (pending_cookie(fd) == atomic_load(&talks[i].cookie)) return &talks[i];
        /* It was closed, and the fd refers to another file until the client connects again. */
    }
    return NULL;
}

/* ---- invocations in progress ---- */

enum { IDS = 64 };
static _Atomic uint64_t open_ids[IDS]; /* hashes; 0: free */
static _Atomic unsigned next_id;
static atomic_bool taken; /* the last invocation was fetched under PERMIT_NEXT */

static uint64_t hash_of(const char *id, size_t size)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ (uint8_t)id[i]) * 1099511628211u;
    return hash | 1;
}

static void invocation_begins(const struct http_response *response)
{
    if (response->arn_size > 0) lines_function_arn(response->arn, response->arn_size);
    if (response->id_size == 0) return;
    atomic_store(&open_ids[atomic_fetch_add(&next_id, 1) % IDS],
                 hash_of(response->id, response->id_size));
    /* With several at once, an event cannot tell which of them it belongs to. */
    if (!concurrent || !handler_watch)
        lines_invocation_begins(response->id, response->id_size, response->tenant,
                                response->tenant_size);
}

/* Returns true if it was in progress and not answered yet. Marks it as answered. */
static bool invocation_answered(const char *id, size_t size)
{
    uint64_t hash = hash_of(id, size);
    bool last = atomic_exchange(&taken, false);
    for (unsigned i = 0; i < IDS; i++) {
        uint64_t known = hash;
        if (atomic_compare_exchange_strong(&open_ids[i], &known, 0)) return true;
    }
    return last;
}

bool runtime_api_may(uint8_t permit, const struct permitted_id *id)
{
    if (permit & (PERMIT_STREAM | PERMIT_ERROR)) return invocation_answered(id->text, id->size);
    if (permit == PERMIT_RESTORE) restored_requested();
    if (permit & PERMIT_RESTORES) return true;
    if (atomic_exchange(&taken, true) && !concurrent) return false;
    events_invocation_ends();
    made_end();
    return true;
}

/* ---- requests and responses ---- */

/* `given` is the client's memory: copied before it is read. */
static void client_says(struct talk *talk, const struct iovec *given)
{
    char bytes[HTTP_BEGINNING_MAX];
    struct iovec vector;
    if (!copied_bytes(&vector, given, sizeof vector)) return;
    size_t size = vector.iov_len < sizeof bytes ? vector.iov_len : sizeof bytes, id_size;
    if (!copied_bytes(bytes, vector.iov_base, size)) return;
    const char *id = http_answers(bytes, size, &id_size);
    bool next = http_asks_next(bytes, size);
    if (id) (void)invocation_answered(id, id_size);
    if (id || next) events_invocation_ends();
    if (!next) return;
    restored_answered();
    made_end();
    http_response_begin(&talk->response);
    if (!atomic_exchange(&talk->awaiting, true)) atomic_fetch_add(&awaited, 1);
}

void runtime_api_received(int fd, const void *bytes, size_t size)
{
    int error = errno;
    if (restored_awaits(fd)) restored_answered();
    if (atomic_load(&awaited) == 0) return;
    struct talk *talk = talk_of(fd, NULL);
    if (talk != NULL && atomic_load(&talk->awaiting) &&
        http_response_feed(&talk->response, bytes, size)) {
        invocation_begins(&talk->response);
        if (atomic_exchange(&talk->awaiting, false)) atomic_fetch_sub(&awaited, 1);
    }
    errno = error;
}

struct fs_verdict runtime_api_judge(void)
{
    struct fs_request request = {.family = FS_RUNTIME_API};
    return guard_decide(&request);
}

bool runtime_api_blocks(void)
{
    return !guard_ignores(FS_RUNTIME_API) && runtime_api_judge().mode == FS_BLOCK;
}

bool runtime_api_refuses(const void *caller)
{
    if (guard_ignores(FS_RUNTIME_API)) return false;
    struct fs_verdict verdict = runtime_api_judge();
    if (verdict.mode == FS_ALLOW) return false;
    char ip[ADDRESS_TEXT_MAX];
    address_text(guard.runtime_api_ip, guard.runtime_api_ip_version, ip);
    struct act act = {
        .ring = RING_LIBC,
        .family = FS_RUNTIME_API,
        .verb = "send",
        .host = guard.runtime_api_ip_version == 0 ? guard.runtime_api_host : NULL,
        .ip = guard.runtime_api_ip_version == 0 ? NULL : ip,
        .port = guard.runtime_api_port,
        .protocol = "tcp",
        .caller = caller,
    };
    events_report(&act, &verdict, NULL, 0);
    return verdict.mode == FS_BLOCK;
}

static bool refuse(const void *caller, ssize_t *result)
{
    if (!runtime_api_refuses(caller)) return false;
    errno = EACCES;
    *result = -1;
    return true;
}

bool runtime_api_refuses_inherited(int fd)
{
    static const struct mapping nobody;
    uint64_t cookie = pending_cookie(fd); /* 0: this kernel has none, as for any other file */
    bool stays = cookie != 0 && fd > STDERR_FILENO && !runtime_api_blocks();
    struct talk *talk = stays ? take_talk(cookie) : NULL;
    if (!talk) return runtime_api_refuses(NULL);
    begin_talk(talk, cookie, fd, &nobody);
    return false;
}

bool runtime_api_sends(int fd, const struct iovec *vector, size_t count, const void *caller,
                       ssize_t *result)
{
    struct talk *talk = talk_of(fd, NULL);
    if (talk == NULL) return false;
    if (!is_clients(talk, caller)) return refuse(caller, result);
    if (count > 0) client_says(talk, vector);
    return false;
}

bool runtime_api_refuses_copy(int fd, const void *caller)
{
    return talk_of(fd, NULL) != NULL && runtime_api_refuses(caller);
}

bool runtime_api_sends_unseen(int fd, const void *caller, ssize_t *result)
{
    return talk_of(fd, NULL) != NULL && refuse(caller, result);
}

bool runtime_api_refuses_receiving(int fd, const void *caller)
{
    ssize_t result;
    return talk_of(fd, caller) != NULL && refuse(caller, &result);
}
