/* Which first bytes a connection has, and whether it may. See judging.h. */
#include "network/first_bytes/judging.h"

#include <string.h>

#include "guard/callers.h"
#include "guard/guard.h"
#include "network/names/names.h"
#include "network/names/learnt.h"
#include "network/network.h"
#include "network/runtime_api/permits.h"
#include "network/runtime_api/runtime_api.h"

static const struct fs_policy *policy_at(unsigned which)
{
    return which == 0 ? guard.policy : guard.floor;
}

/* The callers that connected, in the form that a request needs. They are known only if an entry
 * with only_for needed them when the connection was made. */
struct known {
    const char *names[CALLERS_MAX];
    struct fs_callers list;
    const struct fs_callers *callers;
};

/* Entries with only_for do not count. */
static const struct fs_callers nobody;

static void know(struct known *known, uint64_t set)
{
    known->callers = NULL;
    if (LIKELY(set == 0)) return;
    known->list = callers_list(set, known->names);
    known->callers = &known->list;
}

/* ---- asking the policy ---- */

static struct fs_request request_for(const char *const *name, uint16_t port,
                                     const struct known *known)
{
    struct fs_request request = {.family = FS_OUTBOUND,
                                 .names = name,
                                 .name_count = name != NULL,
                                 .facts = &guard.facts,
                                 .callers = known->callers,
                                 .port = port};
    return request;
}

static bool allows_address(const struct fs_policy *policy, const struct address *address,
                           const struct known *known)
{
    struct fs_request request = request_for(NULL, address->port, known);
    memcpy(request.ip, address->ip, sizeof request.ip);
    request.ip_version = address->version;
    return fs_policy_decide(policy, &request).mode == FS_ALLOW;
}

/* What `policy` says of the name; `rule` is UINT32_MAX if no rule allows it. */
static struct fs_verdict by_name(const struct fs_policy *policy, const char *name, uint16_t port,
                                 const struct known *known)
{
    struct fs_request request = request_for(&name, port, known);
    struct fs_verdict verdict = fs_policy_decide(policy, &request);
    if (verdict.mode != FS_ALLOW || verdict.reason != FS_RULE) verdict.rule = UINT32_MAX;
    return verdict;
}

/* ---- findings ---- */

/* Why first bytes are refused: details.first_bytes of the event. */
const char *const judging_hello_words[] = {
    [HELLO_SPLIT] = "split",         [HELLO_NOT_TLS] = "not_tls",
    [HELLO_OVERSIZED] = "oversized", [HELLO_FRAGMENTED] = "fragmented",
    [HELLO_MALFORMED] = "malformed", [HELLO_UNNAMED] = "no_server_name",
    [HELLO_ENCRYPTED] = "ech",       [HELLO_EARLY_DATA] = "early_data",
};
const char *const judging_host_words[] = {
    [HOST_SPLIT] = "split",        [HOST_NOT_HTTP] = "not_http", [HOST_MALFORMED] = "malformed",
    [HOST_UNNAMED] = "no_host",    [HOST_TWICE] = "two_hosts",   [HOST_UPGRADE] = "upgrade",
    [HOST_REFUSED] = "other_host",
};
const char judging_other_server_name[] = "other_server_name";
static const char before_answer[] = "before_answer";
static const char other_request[] = "other_request";

void judging_name_of(const struct pending *entry, char *out)
{
    struct learnt_names names;
    struct known known;
    learnt_find(entry->ip, entry->version, &names);
    know(&known, entry->callers);
    out[0] = '\0';
    for (unsigned which = 0; which < 2; which++) {
        const struct fs_policy *policy = policy_at(which);
        if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
        for (unsigned i = 0; i < names.count; i++) {
            if (by_name(policy, names.names[i], entry->port, &known).rule == UINT32_MAX) continue;
            memcpy(out, names.names[i], strlen(names.names[i]) + 1);
            return;
        }
    }
}

/* ---- names ---- */

/* Returns true if the connection may name this host: by the entry that allowed it, or by one for
 * another name of the address. */
static bool allows_name(const struct pending *entry, const char *name)
{
    bool tunnel = pending_is_tunnel(entry);
    struct address address = {.kind = ADDRESS_IP, .version = entry->version, .port = entry->port};
    memcpy(address.ip, entry->ip, sizeof address.ip);
    struct learnt_names names = {0};
    if (!tunnel) learnt_find(entry->ip, entry->version, &names);
    struct known known;
    know(&known, entry->callers);
    struct fs_request request =
        request_for(NULL, tunnel ? entry->tunnel_port : entry->port, &known);
    for (unsigned which = 0; which < 2; which++) {
        const struct fs_policy *policy = policy_at(which);
        if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
        if (entry->rules[which] == PENDING_ANY_NAME) continue;
        if (!tunnel && allows_address(policy, &address, &known)) continue;
        bool allowed = entry->rules[which] != UINT32_MAX &&
                       fs_policy_entry_allows_name(policy, entry->rules[which], name, &request);
        for (unsigned i = 0; !allowed && i < names.count; i++) {
            uint32_t rule = by_name(policy, names.names[i], entry->port, &known).rule;
            allowed =
                rule != UINT32_MAX && fs_policy_entry_allows_name(policy, rule, name, &request);
        }
        if (!allowed) return false;
    }
    return true;
}

struct judging {
    struct pending *entry;
    struct finding *finding;
};

static bool allows_host(void *context, const struct host_target *target)
{
    struct judging *judging = context;
    if (allows_name(judging->entry, target->name)) return true;
    memcpy(judging->finding->server_name, target->name, sizeof target->name);
    return false;
}

/* Judges the destination that a proxy is asked for, as if the program connected to it. */
static bool allows_behind(void *context, const struct host_target *target)
{
    struct judging *judging = context;
    uint16_t port = target->port != 0 ? target->port : 80;
    struct address address = {.kind = ADDRESS_IP, .port = port};
    struct pending *entry = judging->entry;
    struct finding *finding = judging->finding;
    struct known known;
    know(&known, entry->callers);
    if (!known.callers) known.callers = &nobody;
    if (address_parse(target->name, address.ip, &address.version)) {
        address.version = address_normalise(address.ip, address.version);
        struct fs_request request = request_for(NULL, port, &known);
        memcpy(request.ip, address.ip, sizeof request.ip);
        request.ip_version = address.version;
        finding->verdict = guard_decide(&request);
    } else if (network_is_own_name(target->name)) {
        /* Names of this machine mean the proxy's own machine there. */
        const char *name = target->name;
        struct fs_request request = request_for(&name, port, &known);
        finding->verdict = guard_decide(&request);
    } else {
        finding->verdict = names_judge(target->name, port, known.callers);
    }
    if (finding->verdict.mode != FS_BLOCK && finding->verdict.mode != FS_ALERT) {
        if (!target->connect) return true;
        entry->rules[0] = entry->rules[1] = UINT32_MAX;
        entry->tunnel_port = port;
        entry->behind = PENDING_FREE;
        for (unsigned which = 0; address.version == 0 && which < 2; which++) {
            const struct fs_policy *policy = policy_at(which);
            if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
            struct fs_verdict verdict = by_name(policy, target->name, port, &known);
            entry->rules[which] = verdict.mode == FS_ALLOW ? verdict.rule : PENDING_ANY_NAME;
            if (verdict.first_bytes == FS_BYTES_TLS) entry->behind = PENDING_TUNNEL;
            if (verdict.first_bytes == FS_BYTES_HTTP && entry->behind == PENDING_FREE)
                entry->behind = PENDING_TUNNEL_HTTP;
        }
        return true;
    }
    memcpy(finding->server_name, target->name, sizeof target->name);
    finding->target_port = port;
    return false;
}

/* Judges a request to the Runtime API by a caller that is not its client. */
static bool allows_permitted(void *context, const struct host_target *target)
{
    struct judging *judging = context;
    struct permitted_id id;
    uint8_t made = permits_request(judging->entry->permits, target->request, &id);
    if (made & PERMIT_KEPT && !runtime_api_may(made, &id)) made = 0;
    if (made) judging->entry->permits &= made & PERMIT_KEPT ? PERMIT_KEPT : 0;
    return made != 0;
}

/* ---- judging bytes ---- */

static void judge_hello(const struct client_hello *hello, struct pending *entry,
                        struct finding *finding)
{
    if (hello->kind != HELLO_NAMED) {
        finding->word = judging_hello_words[hello->kind];
    } else if (!allows_name(entry, hello->name)) {
        finding->word = judging_other_server_name;
    } else {
        return;
    }
    memcpy(finding->server_name, hello->name, sizeof hello->name);
}

/* After the greeting, one more may follow. Returns how many bytes may leave. */
static size_t judge_next(const uint8_t *bytes, size_t size, struct pending *entry,
                         struct finding *finding)
{
    struct client_hello hello;
    size_t at;
    enum hello_next next = client_hello_next(bytes, size, &at, &hello);
    if (next == HELLO_NEXT_AGAIN && hello.kind == HELLO_SPLIT) next = HELLO_NEXT_SPLIT;
    if (next == HELLO_NEXT_SPLIT || next == HELLO_NEXT_OPEN) {
        entry->kind = pending_is_tunnel(entry) ? PENDING_TUNNEL_AGAIN : PENDING_TLS_AGAIN;
        return next == HELLO_NEXT_OPEN ? size : at;
    }
    if (next == HELLO_NEXT_AGAIN) judge_hello(&hello, entry, finding);
    if (finding->word == NULL) entry->kind = PENDING_FREE;
    return size;
}

static size_t judge_greeting(const uint8_t *bytes, size_t size, struct pending *entry,
                             struct finding *finding)
{
    struct client_hello hello;
    client_hello_read(bytes, size, &hello);
    if (hello.kind == HELLO_SPLIT) return 0;
    judge_hello(&hello, entry, finding);
    if (finding->word != NULL) return 0;
    return hello.size + judge_next(bytes + hello.size, size - hello.size, entry, finding);
}

/* A CONNECT to an allowed destination was read. Its answer decides what comes next. */
static void judge_connect(bool more, struct pending *entry, struct finding *finding)
{
    if (more)
        finding->word = before_answer;
    else if (entry->plainly)
        finding->word = judging_host_words[HOST_UPGRADE]; /* the answers to earlier requests
                                                             are not parsed */
    entry->kind = PENDING_ASKED;
}

static size_t judge_requests(const char *bytes, size_t size, struct pending *entry,
                             struct finding *finding)
{
    struct judging judging = {entry, finding};
    bool proxy = entry->kind == PENDING_PROXY, tunnel;
    size_t used;
    enum host_kind kind = host_flow_feed(
        &entry->flow, bytes, size, proxy ? allows_behind : allows_host, &judging, &tunnel, &used);
    if (kind != HOST_OK && kind != HOST_SPLIT)
        finding->word = judging_host_words[kind];
    else if (tunnel && !proxy)
        finding->word = judging_host_words[HOST_UPGRADE];
    else if (tunnel)
        judge_connect(used != size, entry, finding);
    else if (proxy && used > 0)
        entry->plainly = true;
    return used;
}

/* One whole request, and nothing after it. */
static size_t judge_permitted(const char *bytes, size_t size, struct pending *entry,
                              struct finding *finding)
{
    struct judging judging = {entry, finding};
    size_t used;
    bool tunnel;
    enum host_kind kind =
        host_flow_feed(&entry->flow, bytes, size, allows_permitted, &judging, &tunnel, &used);
    bool more = kind == HOST_SPLIT && entry->permits == 0;
    if ((kind != HOST_OK && kind != HOST_SPLIT) || tunnel || more) finding->word = other_request;
    return used;
}

size_t judging_bytes(const uint8_t *bytes, size_t size, struct pending *entry,
                     struct finding *finding)
{
    entry->begun = true;
    switch (entry->kind) {
    case PENDING_FREE: return size;
    case PENDING_TLS:
    case PENDING_TUNNEL: return judge_greeting(bytes, size, entry, finding);
    case PENDING_TLS_AGAIN:
    case PENDING_TUNNEL_AGAIN: return judge_next(bytes, size, entry, finding);
    case PENDING_HTTP:
    case PENDING_TUNNEL_HTTP:
    case PENDING_PROXY: return judge_requests((const char *)bytes, size, entry, finding);
    case PENDING_PERMITTED: return judge_permitted((const char *)bytes, size, entry, finding);
    case PENDING_ASKED: finding->word = before_answer; return 0;
    case PENDING_DATAGRAM: finding->word = "datagram"; return 0;
    case PENDING_STREAM: finding->word = "stream"; return 0;
    default: finding->word = "inherited"; return 0;
    }
}
