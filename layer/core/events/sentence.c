/* The sentence of an event: who tried what, what became of it, and why. */
#include "events/sentence.h"

#include <string.h>

#include "events/json.h"
#include "policy/only_for.h"
#include "support/text.h"
#include "events/events.h"

void sentence_say(struct sentence *out, const char *text)
{
    while (text && *text && out->size < sizeof out->bytes - 1) out->bytes[out->size++] = *text++;
    out->bytes[out->size] = '\0';
}

static size_t size_of(const char *text)
{
    size_t size = 0, used;
    char out[8];
    for (; *text; text += used) size += json_character(text, out, &used);
    return size;
}

/* Whole characters and whole secrets: half a secret would not be masked. They are masked here,
 * because the half that a kept name ends with is not recognised once text follows, and because a
 * long one leaves the reason no room. */
static void say_name(struct sentence *out, const char *name)
{
    size_t size = name ? size_of(name) : 0, at = 0, half = size, used;
    if (size > out->names) half = out->names / 2;
    for (bool cut = false; at < size; name += used) {
        char text[8];
        size_t next = at + json_character(name, text, &used);
        if (next <= half || at >= size - half) {
            /* No character has more bytes than four, and no secret has fewer than eight. */
            if (used <= 4)
                text_copy(text, used + 1, name);
            else
                text[3] = '\0';
            sentence_say(out, text);
        } else if (!cut) {
            sentence_say(out, "…");
            cut = true;
        }
        at = next;
    }
}

static void say_number(struct sentence *out, uint16_t number)
{
    char digits[TEXT_NUMBER_SIZE];
    text_number(digits, number);
    sentence_say(out, digits);
}

/* A fork is an act of its own: no program is named. */
static bool is_fork(const struct act *act)
{
    return act->family == FS_PROCESS && !act->path && act->verb && act->verb[0] == 'f';
}

static void say_object(struct sentence *out, const struct act *act)
{
    bool is_link = act->from && act->from[0] == '\0';
    switch (act->family) {
    case FS_OUTBOUND:
    case FS_RUNTIME_API:
        if (!act->host && !act->ip) {
            sentence_say(out, act->verb ? act->verb : "open a socket");
            if (act->protocol) sentence_say(out, " (");
            sentence_say(out, act->protocol);
            if (act->protocol) sentence_say(out, ")");
            return;
        }
        sentence_say(out, "reach ");
        if (!act->host && act->ip && strchr(act->ip, ':')) {
            sentence_say(out, "[");
            sentence_say(out, act->ip);
            sentence_say(out, "]");
        } else {
            say_name(out, act->host ? act->host : act->ip);
        }
        if (act->port) sentence_say(out, ":");
        if (act->port) say_number(out, act->port);
        if (act->family == FS_RUNTIME_API) sentence_say(out, " (the Runtime API)");
        return;
    case FS_PROCESS:
        sentence_say(out, is_fork(act) ? "fork" : "start ");
        if (!is_fork(act)) say_name(out, act->path ? act->path : "a program");
        return;
    case FS_HANDLER:
        sentence_say(out, "read the handler's source ");
        say_name(out, act->path);
        return;
    default:
        sentence_say(out, is_link ? "make the link" : act->verb ? act->verb : "use");
        sentence_say(out, " ");
        if (act->from && !is_link) {
            say_name(out, act->from);
            sentence_say(out, " to ");
        }
        say_name(out, act->path);
        if (act->to) sentence_say(out, " to ");
        say_name(out, act->to);
        return;
    }
}

/* Behind the text. */
static const char *next(const char *text) { return text + strlen(text) + 1; }

/* What first bytes must not be, by the word of details.first_bytes. */
static void say_first_bytes(struct sentence *out, const struct act *act,
                            const struct fs_verdict *verdict)
{
    /* Words, each followed by its sentence: a pointer to each would take more room. */
    static const char sentences[] =
        "other_server_name\0the TLS greeting names a server which \0"
        "other_host\0the request is for a host which \0"
        "split\0the first bytes end before they name a server\0"
        "not_tls\0the first bytes are no TLS greeting\0"
        "not_http\0the first bytes are no HTTP request\0"
        "oversized\0the TLS greeting is larger than a record\0"
        "fragmented\0the TLS greeting is spread over several records\0"
        "malformed\0the first bytes can be read in more ways than one\0"
        "no_server_name\0the TLS greeting names no server\0"
        "no_host\0the request names no host\0"
        "two_hosts\0the request names more hosts than one\0"
        "ech\0the TLS greeting hides the server's name\0"
        "early_data\0the TLS greeting offers early data\0"
        "upgrade\0the request asks for another protocol\0"
        "out_of_band\0the first bytes are sent out of band\0"
        "datagram\0datagrams cannot be judged where TLS is required\0"
        "at_once\0two threads write the first bytes at once\0"
        "unseen\0the first bytes are sent by a call that hides them\0"
        "stream\0the connection is also a stdio stream or standard fd, which hides the first "
        "bytes\0"
        "inherited\0the connection is from before this program, or from another process\0"
        "passed\0the connection is passed on before its first bytes\0"
        "too_many\0too many connections wait for their first bytes\0";
    const char *text = "the first bytes cannot be judged";
    for (const char *word = sentences; act->first_bytes && *word; word = next(next(word)))
        if (strcmp(word, act->first_bytes) == 0) text = next(word);
    sentence_say(out, text);
    if (verdict->reason == FS_SERVER_NAME) {
        sentence_say(out, verdict->source && verdict->source[0] ? verdict->source : "the rule");
        sentence_say(out, " does not allow");
    }
}

static void say_list(struct sentence *out, const char *names)
{
    while (*names) {
        char name[64];
        size_t size = strcspn(names, " ");
        text_copy(name, size < sizeof name ? size + 1 : sizeof name, names);
        sentence_say(out, name);
        names += size + (names[size] == ' ');
        if (*names) sentence_say(out, ", ");
    }
}

static void say_reason(struct sentence *out, const struct act *act,
                       const struct fs_verdict *verdict)
{
    switch (verdict->reason) {
    case FS_RULE:
        sentence_say(out, verdict->source ? verdict->source : "a rule");
        sentence_say(out, " allows it");
        return;
    case FS_PORT: sentence_say(out, "a rule allows it on other ports only"); return;
    case FS_VARIABLE:
        sentence_say(out,
                     "a rule has a variable for this name, and it was unset or unfit at start");
        return;
    case FS_UNNAMED:
        sentence_say(out,
                     "no rule allows this address, and no lookup of an allowed name returned it");
        return;
    case FS_ONLY_FOR:
        sentence_say(out, "allowed for ");
        say_list(out, only_for_of(verdict->floor ? guard.floor : guard.policy, verdict->rule));
        sentence_say(out, "; asked by ");
        sentence_say(out, verdict->outsider ? verdict->outsider : ONLY_FOR_UNKNOWN);
        return;
    case FS_FAMILY: sentence_say(out, "sockets of this kind are refused"); return;
    case FS_GUARD: sentence_say(out, "the guard protects itself"); return;
    case FS_STATIC:
        if (act->unguardable) sentence_say(out, "it ");
        sentence_say(out,
                     act->unguardable ? act->unguardable : "the guard cannot be loaded into it");
        return;
    case FS_MALFORMED: sentence_say(out, "it cannot be judged"); return;
    case FS_RECONFIGURED: sentence_say(out, "function_shield.configure says so"); return;
    case FS_TLS:
    case FS_SERVER_NAME: say_first_bytes(out, act, verdict); return;
    default: sentence_say(out, "no rule allows it"); return;
    }
}

static const char *library_of(const struct act *act, const struct origin *origin)
{
    /* Acts on memory are decided by the calling library, not by the caller's module. */
    bool memory = act->verb && strncmp(act->verb, "make", 4) == 0 && act->ring == RING_LIBC;
    if (!memory && origin && origin->package[0]) return origin->package;
    return act->path && act->path[0] == '/' ? act->path : NULL;
}

void sentence_entry(struct sentence *out, const struct act *act, const struct fs_verdict *verdict,
                    const struct origin *origin)
{
    enum { LONGEST_ENTRY = 400 };
    static const char *const keys[] = {"host: ", "path: ", "path: ", NULL, "library: "};
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+@:";
    const char *object = act->path, *key = act->family <= FS_NATIVE ? keys[act->family] : NULL;
    bool braces = act->port != 0 && act->port != 443;
    out->size = 0;
    if (verdict->reason != FS_NO_RULE && verdict->reason != FS_UNNAMED &&
        verdict->reason != FS_PORT)
        return;
    if (act->family == FS_OUTBOUND) object = act->host ? act->host : act->ip;
    if (act->family == FS_OUTBOUND && !act->host) key = "cidr: ";
    if (act->family == FS_NATIVE) object = library_of(act, origin);
    if (is_fork(act)) object = FS_FORK;
    if (!key || !object || verdict->floor) return;
    /* People paste this into a policy. So it must be complete, and contain nothing that YAML or a
     * pattern reads differently. */
    if (object[strspn(object, plain)] != '\0' || strlen(object) > LONGEST_ENTRY) return;
    if (braces) sentence_say(out, "{");
    sentence_say(out, key);
    sentence_say(out, object);
    if (!braces) return;
    sentence_say(out, ", ports: [");
    say_number(out, act->port);
    sentence_say(out, "]}");
}

static void compose(struct sentence *out, const struct act *act, const struct fs_verdict *verdict,
                    const struct origin *origin)
{
    out->size = 0;
    const char *who = origin && origin->distribution[0] ? origin->distribution : guard_program_name;
    say_name(out, who);
    sentence_say(out, " tried to ");
    say_object(out, act);
    sentence_say(out, verdict->mode == FS_BLOCK   ? ": blocked, "
                      : verdict->mode == FS_ALERT ? ": reported, "
                                                  : ": allowed, ");
    say_reason(out, act, verdict);
    if (act->family == FS_PROCESS && act->path && strstr(act->path, "/lib/jspawnhelper"))
        sentence_say(out, "; Java starts every program through it: allow both");
    /* The only rule that honest packages violate while they are imported, and the act that its
     * event names no object of. */
    const char *name = act->family == FS_NATIVE ? library_of(act, origin)
                       : is_fork(act)           ? FS_FORK
                                                : NULL;
    if (!name || verdict->reason != FS_NO_RULE || verdict->floor) return;
    sentence_say(out, "; an exception is ");
    sentence_say(out, fs_family_names[act->family]);
    sentence_say(out, ": {allow: [");
    say_name(out, name);
    sentence_say(out, "]}");
}

void sentence_compose(struct sentence *out, const struct act *act, const struct fs_verdict *verdict,
                      const struct origin *origin)
{
    enum { LEAST = 32 };
    for (out->names = SENTENCE_MOST;; out->names -= LEAST) {
        compose(out, act, verdict, origin);
        if (out->names <= LEAST || size_of(out->bytes) <= SENTENCE_MOST) return;
    }
}
