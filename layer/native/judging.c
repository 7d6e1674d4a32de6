/* What a connection that a name allowed may say first, and what it says. See judging.h. */
#include "judging.h"

#include <string.h>

#include "guard.h"
#include "learnt.h"
#include "network.h"
#include "proxies.h"

static const struct fs_policy *policy_at(unsigned which) { return which == 0 ? guard.policy : guard.floor; }

/* ---- what must come first ---- */

static struct fs_request request_for(const char *const *name, uint16_t port)
{
    struct fs_request request = {
        .family = FS_OUTBOUND, .names = name, .name_count = name != NULL, .facts = &guard.facts, .port = port};
    return request;
}

static bool allows_address(const struct fs_policy *policy, const struct address *address)
{
    struct fs_request request = request_for(NULL, address->port);
    memcpy(request.ip, address->ip, sizeof request.ip);
    request.ip_version = address->version;
    return fs_policy_decide(policy, &request).mode == FS_ALLOW;
}

/* The rule by which `policy` allows the name, UINT32_MAX where none does. */
static uint32_t rule_for(const struct fs_policy *policy, const char *name, uint16_t port)
{
    struct fs_request request = request_for(&name, port);
    struct fs_verdict verdict = fs_policy_decide(policy, &request);
    return verdict.mode == FS_ALLOW && verdict.reason == FS_RULE ? verdict.rule : UINT32_MAX;
}

enum { TLS_UNSTATED = 0, TLS_REQUIRED = 1, TLS_NONE = 3 };

static enum pending_kind kind_of(const struct fs_policy *policy, uint32_t index, uint16_t port)
{
    const struct fs_rule *rule = fs_policy_rule(policy, index);
    uint8_t tls = rule ? rule->tls : TLS_REQUIRED;
    /* A number that is not known is no permission to speak plainly. */
    if (tls == TLS_REQUIRED || tls > TLS_NONE || (tls == TLS_UNSTATED && port == 443)) return PENDING_TLS;
    return tls == TLS_UNSTATED && port == 80 ? PENDING_HTTP : PENDING_PLAIN;
}

/* What one policy wants of a connection to this address. PENDING_STRANGER: it does not allow it. */
static enum pending_kind wanted_by(const struct fs_policy *policy, const struct address *address,
                                   const struct learnt_names *names, uint32_t *rule)
{
    *rule = UINT32_MAX;
    if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW || allows_address(policy, address)) return PENDING_PLAIN;
    enum pending_kind kind = PENDING_STRANGER;
    for (unsigned i = 0; i < names->count; i++) {
        uint32_t found = rule_for(policy, names->names[i], address->port);
        if (found == UINT32_MAX) continue;
        enum pending_kind one = kind_of(policy, found, address->port);
        /* Where one name of this address may be spoken to in any way, so may the address. */
        if (one == PENDING_PLAIN) return PENDING_PLAIN;
        if (kind == PENDING_STRANGER) {
            kind = one;
            *rule = found;
        }
    }
    return kind;
}

void judging_describe(const struct address *address, struct pending *entry)
{
    struct learnt_names names;
    memset(entry, 0, sizeof *entry);
    memcpy(entry->ip, address->ip, sizeof entry->ip);
    entry->version = address->version;
    entry->port = address->port;
    entry->rules[0] = entry->rules[1] = UINT32_MAX;
    entry->kind = PENDING_PLAIN;
    if (guard_ignores(FS_OUTBOUND)) return;
    learnt_find(address->ip, address->version, &names);
    for (unsigned which = 0; which < 2; which++) {
        enum pending_kind kind = wanted_by(policy_at(which), address, &names, &entry->rules[which]);
        /* The strictest: a stranger's, then TLS, then HTTP. */
        if (kind == PENDING_STRANGER || (kind == PENDING_TLS && entry->kind != PENDING_STRANGER) ||
            (kind == PENDING_HTTP && entry->kind == PENDING_PLAIN))
            entry->kind = (uint8_t)kind;
    }
}

/* ---- findings ---- */

/* Why first bytes are not what they must be: details.first_bytes of the event. */
const char *const judging_hello_words[] = {
    [HELLO_SPLIT] = "split",         [HELLO_NOT_TLS] = "not_tls",        [HELLO_OVERSIZED] = "oversized",
    [HELLO_FRAGMENTED] = "fragmented", [HELLO_MALFORMED] = "malformed",  [HELLO_UNNAMED] = "no_server_name",
    [HELLO_ENCRYPTED] = "ech",       [HELLO_EARLY_DATA] = "early_data",
};
const char *const judging_host_words[] = {
    [HOST_SPLIT] = "split",       [HOST_NOT_HTTP] = "not_http", [HOST_MALFORMED] = "malformed",
    [HOST_UNNAMED] = "no_host",   [HOST_TWICE] = "two_hosts",   [HOST_UPGRADE] = "upgrade",
    [HOST_REFUSED] = "other_host",
};
const char judging_other_server_name[] = "other_server_name";

void judging_name_of(const struct pending *entry, char *out)
{
    struct learnt_names names;
    learnt_find(entry->ip, entry->version, &names);
    out[0] = '\0';
    for (unsigned which = 0; which < 2; which++) {
        const struct fs_policy *policy = policy_at(which);
        if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
        for (unsigned i = 0; i < names.count; i++) {
            if (rule_for(policy, names.names[i], entry->port) == UINT32_MAX) continue;
            memcpy(out, names.names[i], strlen(names.names[i]) + 1);
            return;
        }
    }
}

/* ---- which names ---- */

/* `name` may be named on this connection: by the entry that allowed it, or by one that allows another name of this address. */
static bool allows_name(const struct pending *entry, const char *name)
{
    bool tunnel = is_tunnel(entry);
    struct address address = {.kind = ADDRESS_IP, .version = entry->version, .port = entry->port};
    memcpy(address.ip, entry->ip, sizeof address.ip);
    struct learnt_names names = {0};
    if (!tunnel) learnt_find(entry->ip, entry->version, &names);
    struct fs_request request = request_for(NULL, tunnel ? entry->tunnel_port : entry->port);
    for (unsigned which = 0; which < 2; which++) {
        const struct fs_policy *policy = policy_at(which);
        if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
        if (!tunnel && allows_address(policy, &address)) continue;
        bool allowed = entry->rules[which] != UINT32_MAX && fs_policy_entry_allows_name(policy, entry->rules[which], name, &request);
        for (unsigned i = 0; !allowed && i < names.count; i++) {
            uint32_t rule = rule_for(policy, names.names[i], entry->port);
            allowed = rule != UINT32_MAX && fs_policy_entry_allows_name(policy, rule, name, &request);
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

/* What a proxy is asked for: judged as if it were dialled. */
static bool allows_behind(void *context, const struct host_target *target)
{
    struct judging *judging = context;
    uint16_t port = target->port != 0 ? target->port : 80;
    struct address address = {.kind = ADDRESS_IP, .port = port};
    struct pending *entry = judging->entry;
    struct finding *finding = judging->finding;
    if (address_parse(target->name, address.ip, &address.version)) {
        address.version = address_normalise(address.ip, address.version);
        struct fs_request request = request_for(NULL, port);
        memcpy(request.ip, address.ip, sizeof request.ip);
        request.ip_version = address.version;
        finding->verdict = guard_decide(&request);
    } else {
        finding->verdict = network_judge_name(target->name, port);
    }
    if (finding->verdict.mode != FS_BLOCK && finding->verdict.mode != FS_ALERT) {
        if (!target->connect) return true;
        entry->rules[0] = entry->rules[1] = UINT32_MAX;
        entry->tunnel_port = port;
        entry->kind = PENDING_FREE;
        for (unsigned which = 0; address.version == 0 && which < 2; which++) {
            const struct fs_policy *policy = policy_at(which);
            if (policy == NULL || policy->modes[FS_OUTBOUND] == FS_ALLOW) continue;
            entry->rules[which] = rule_for(policy, target->name, port);
            if (entry->rules[which] != UINT32_MAX && kind_of(policy, entry->rules[which], port) == PENDING_TLS)
                entry->kind = PENDING_TUNNEL;
        }
        return true;
    }
    memcpy(finding->server_name, target->name, sizeof target->name);
    finding->target_port = port;
    return false;
}

/* ---- judging bytes ---- */

static void judge_hello(const struct client_hello *hello, struct pending *entry, struct finding *finding)
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

/* After the greeting: another one may follow, once. */
static void judge_next(const uint8_t *bytes, size_t size, struct pending *entry, struct finding *finding)
{
    struct client_hello hello;
    size_t at;
    bool tunnel = is_tunnel(entry);
    switch (client_hello_next(bytes, size, &at, &hello)) {
    case HELLO_NEXT_SPLIT: finding->word = judging_hello_words[HELLO_SPLIT]; return;
    case HELLO_NEXT_OPEN: entry->kind = tunnel ? PENDING_TUNNEL_AGAIN : PENDING_TLS_AGAIN; return;
    case HELLO_NEXT_AGAIN: judge_hello(&hello, entry, finding); break;
    default: break;
    }
    if (finding->word == NULL) entry->kind = PENDING_FREE;
}

static void judge_requests(const char *bytes, size_t size, struct pending *entry, struct finding *finding)
{
    struct judging judging = {entry, finding};
    bool tunnel;
    size_t used;
    bool proxy = entry->kind == PENDING_PROXY;
    enum host_kind kind = host_flow_feed(&entry->flow, bytes, size, proxy ? allows_behind : allows_host, &judging, &tunnel, &used);
    if (kind != HOST_FINE)
        finding->word = judging_host_words[kind];
    else if (tunnel && !proxy)
        finding->word = judging_host_words[HOST_UPGRADE];
    else if (tunnel && used != size)
        finding->word = judging_host_words[HOST_MALFORMED]; /* nobody waited for the tunnel */
}

void judging_bytes(const uint8_t *bytes, size_t size, struct pending *entry, struct finding *finding)
{
    struct client_hello hello;
    entry->begun = true;
    switch (entry->kind) {
    case PENDING_FREE: return;
    case PENDING_TLS:
    case PENDING_TUNNEL:
        client_hello_read(bytes, size, &hello);
        judge_hello(&hello, entry, finding);
        if (finding->word == NULL) judge_next(bytes + hello.size, size - hello.size, entry, finding);
        return;
    case PENDING_TLS_AGAIN:
    case PENDING_TUNNEL_AGAIN: judge_next(bytes, size, entry, finding); return;
    case PENDING_HTTP:
    case PENDING_PROXY: judge_requests((const char *)bytes, size, entry, finding); return;
    case PENDING_DATAGRAM: finding->word = "datagram"; return;
    case PENDING_STREAM: finding->word = "stream"; return;
    default: finding->word = "inherited"; return;
    }
}
