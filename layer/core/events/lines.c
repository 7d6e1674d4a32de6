/* One event, one line, one write. See lines.h. */
#include "events/lines.h"

#include <string.h>
#include <time.h>

#include "events/json.h"
#include "events/ocsf.h"
#include "events/secrets.h"
#include "events/sentence.h"
#include "events/sink.h"
#include "guard/facts.h"
#include "libc/symbols.h"
#include "policy/only_for.h"
#include "support/sys.h"
#include "events/events.h"

enum { ARN_MAX = 256, TENANT_MAX = 256 };

static _Atomic uint32_t sequence;
static _Atomic int owner; /* the pid that the sequence belongs to */
static char nonce[17];

/* These change between invocations only; readers see whole ones or none. A tenant id that is longer
 * than Lambda's is cut as it is written. */
static char request_id[64], tenant_id[TENANT_MAX + 32];
static _Atomic uint32_t request_turn;

/* Without memory, which a program can bring about, all threads share one static line. True while it
 * is in use. */
static atomic_bool spare_taken;

static void draw_nonce(int pid)
{
    uint64_t random = 0;
    if (sys_call(SYS_getrandom, &random, sizeof random, 1 /* GRND_NONBLOCK */) !=
        (long)sizeof random) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        random = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uint64_t)pid;
    }
    for (unsigned i = 0; i < 16; i++) nonce[i] = "0123456789abcdef"[random >> 4 * i & 15];
    atomic_store(&sequence, 0);
}

void lines_begin(void)
{
    int pid = sys_getpid();
    if (atomic_load(&owner) == pid) return;
    sink_adopt();
    atomic_store(&spare_taken, false); /* another thread of the parent may have been using it */
    draw_nonce(pid);
    atomic_store(&owner, pid);
}

void lines_renew(void) { draw_nonce(sys_getpid()); }

static bool write_line(struct json *json, unsigned rule)
{
    if (json->size >= sizeof json->bytes) json->size = sizeof json->bytes - 1;
    json->bytes[json->size++] = '\n';
    return sink_write(json->bytes, json->size, rule);
}

static atomic_bool line_open; /* the program's last write to the pipe that events go to ended in the
                                 middle of a line */

void lines_wrote(int fd, const void *bytes, size_t size)
{
    if (size == 0 || !guard.shares_pipe[fd - 1]) return;
    atomic_store_explicit(&line_open, ((const char *)bytes)[size - 1] != '\n',
                          memory_order_relaxed);
}

/* The function's ARN: written once, by the thread that speaks to the Runtime API. */
static char function_arn[ARN_MAX + 1];
static atomic_int arn_known; /* 0 no, 1 being written, 2 yes */

void lines_function_arn(const char *arn, size_t size)
{
    int no = 0;
    if (size >= sizeof function_arn || !atomic_compare_exchange_strong(&arn_known, &no, 1)) return;
    memcpy(function_arn, arn, size);
    function_arn[size] = '\0';
    atomic_store(&arn_known, 2);
}

static bool takes_fresh_line(void)
{
    return atomic_exchange_explicit(&line_open, false, memory_order_relaxed);
}

/* `event` is NULL if the kind is written elsewhere in the line. */
static void begin_fields(struct json *json, bool fresh, const char *event, const char *level)
{
    char now[28];
    json_timestamp(now);
    json->size = 0;
    json->full = false;
    if (fresh) json_raw(json, "\n");
    json_raw(json, "{\"function_shield\":true");
    if (event) {
        json_word(json, "event", event);
        json_integer(json, "event_version", 1);
    }
    json_word(json, "timestamp", now);
    json_word(json, "level", level);
}

void lines_open(struct json *json, const char *event, const char *level)
{
    lines_begin();
    json->shrink = 0;
    begin_fields(json, takes_fresh_line(), event, level);
}

static void end_fields(struct json *json, uint32_t number, uint32_t missing)
{
    json_integer(json, "pid", sys_getpid());
    json_text(json, "nonce", nonce, 16);
    json_integer(json, "seq", number);
    if (missing > 0) json_integer(json, "lost", missing);
    json_raw(json, "}");
}

static void send_line(struct json *json, unsigned rule, uint32_t missing)
{
    if (!write_line(json, rule))
        sink_count_lost(missing + 1); /* the count in this line is lost with it */
}

void lines_close(struct json *json)
{
    uint32_t missing = sink_take_lost();
    end_fields(json, atomic_fetch_add(&sequence, 1), missing);
    send_line(json, FS_FAMILIES, missing);
}

/* ---- violations ---- */

/* A child's own command line: the event of its parent, if any, is another line. */
static void write_command(struct json *json)
{
    char words[512];
    if (guard.is_function || guard.is_wrapper) return;
    int fd = sys_openat(AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    long size = fd < 0 ? 0 : sys_read(fd, words, sizeof words - 1);
    if (fd >= 0) sys_close(fd);
    if (size <= 0) return;
    while (size > 0 && words[size - 1] == '\0') size--;
    for (long i = 0; i < size; i++)
        if (words[i] == '\0') words[i] = ' ';
    words[size] = '\0';
    json_text(json, "command", words, 256);
}

/* Writes as many of the stack's elements, which are escaped already, as leave room for the keys
 * after them. */
static void write_stack(struct json *json, const char *stack)
{
    enum { FOLLOWS = 512 };
    size_t room = json->size + FOLLOWS < sizeof json->bytes
                      ? sizeof json->bytes - json->size - FOLLOWS
                      : 0,
           end = 0;
    for (const char *at = stack; *at;) {
        /* A quote inside an element has a backslash, so these three end one and begin the next. */
        const char *next = strstr(at, "\",\"");
        size_t element = next ? (size_t)(next - stack) + 1 : strlen(stack);
        if (element > room) break;
        end = element;
        if (!next) break;
        at = next + 2;
    }
    if (end == 0) return;
    memcpy(json->bytes + json->size, stack, end);
    json->size += end;
}

/* "" is not known: null. */
static void write_known(struct json *json, const char *key, const char *text, size_t most)
{
    json_text(json, key, text[0] ? text : NULL, most);
}

static void write_origin(struct json *json, const struct act *act, const struct origin *origin)
{
    json_raw(json, ",\"origin\":{");
    if (origin) {
        write_known(json, "distribution", origin->distribution, 128);
        write_known(json, "version", origin->version, 64);
        write_known(json, "file", origin->file, 400);
        json_integer(json, "line", origin->line);
        write_known(json, "function", origin->function, 128);
        json_raw(json, ",\"stack\":[");
        write_stack(json, origin->stack);
        json_raw(json, "]");
        write_command(json);
        json_raw(json, "}");
        return;
    }
    struct symbols_object object;
    const char *file = NULL;
    if (act->caller && symbols_object_of(act->caller, &object))
        file = object.path[0] ? object.path : guard_program_path;
    json_raw(json, "\"distribution\":null,\"version\":null");
    json_text(json, "file", file, 400);
    json_raw(json, ",\"line\":null,\"function\":null,\"stack\":[]");
    write_command(json);
    json_raw(json, "}");
}

static void write_details(struct json *json, const struct act *act)
{
    json_raw(json, ",\"details\":{");
    if (act->family == FS_OUTBOUND || act->family == FS_RUNTIME_API) {
        json_text(json, "host", act->host, 255);
        json_text(json, "ip", act->ip, 64);
        if (act->port)
            json_integer(json, "port", act->port);
        else
            json_raw(json, ",\"port\":null");
        json_text(json, "protocol", act->protocol, 32);
        if (act->first_bytes) json_text(json, "first_bytes", act->first_bytes, 32);
        if (act->connected_as) json_text(json, "connected_as", act->connected_as, 255);
    } else {
        json_text(json, "path", act->path, 512);
        if (act->family == FS_PROCESS) json_text(json, "arguments", act->arguments, 256);
        if (act->verb) json_text(json, "operation", act->verb, 32);
        if (act->to) json_text(json, "to", act->to, 512);
    }
    json_raw(json, "}");
}

/* A line that is being composed. Too big for the stack of a small thread or a signal handler. */
struct line {
    struct json json;
    struct sentence sentence, entry;
    char tenant[sizeof tenant_id];
};

static struct line spare;

static struct line *take_line(void)
{
    struct line *line = sys_scratch(sizeof *line);
    if (line != NULL) return line;
    return atomic_exchange(&spare_taken, true) ? NULL : &spare;
}

static void give_line(struct line *line)
{
    if (line == &spare)
        atomic_store(&spare_taken, false);
    else
        sys_scratch_free(line, sizeof *line);
}

/* What one line says. */
struct report {
    const struct act *act;
    const struct fs_verdict *verdict;
    const struct origin *origin;
    const char *sentence, *entry; /* NULL: no entry would do */
    uint32_t count, number, missing;
    bool repeated, fresh;
    const char *tenant;
    char id[sizeof request_id];
};

/* A secret is shown as asterisks, which are a pattern in a policy. */
static bool has_secret(const char *text)
{
    while (*text && secrets_at(text) == 0) text++;
    return *text != '\0';
}

static void write_family(struct json *json, const struct report *report)
{
    json_word(json, "policy", fs_family_names[report->act->family]);
    json_word(json, "mode", fs_mode_names[report->verdict->mode]);
}

static void write_rule(struct json *json, const struct report *report)
{
    const struct fs_verdict *verdict = report->verdict;
    const struct fs_policy *decider = verdict->floor ? guard.floor : guard.policy;
    write_family(json, report);
    json_word(json, "policy_mode", fs_mode_names[verdict->policy_mode]);
    json_text(json, "policy_name", verdict->floor ? guard.floor_name : guard.policy_name, 64);
    json_text(json, "rule", verdict->source && verdict->source[0] ? verdict->source : NULL, 128);
    json_word(json, "reason", fs_reason_names[verdict->reason]);
    if (report->entry && verdict->mode != FS_ALLOW && !has_secret(report->entry))
        json_text(json, "entry", report->entry, 480);
    const struct fs_rule *entry =
        verdict->reason == FS_ONLY_FOR ? fs_policy_rule(decider, verdict->rule) : NULL;
    if (entry) {
        json_text(json, "entry_source", fs_policy_string(decider, entry->source), 128);
        json_text(json, "only_for", only_for_of(decider, verdict->rule), 240);
        json_text(json, "asker", verdict->outsider ? verdict->outsider : "unknown", 64);
    }
}

static void write_rest(struct json *json, const struct report *report)
{
    static const char *const rings[] = {"libc", "interpreter", "kernel"};
    write_known(json, "requestId", report->id, 64);
    if (report->tenant[0]) json_text(json, "tenantId", report->tenant, TENANT_MAX);
    json_word(json, "ring", rings[report->act->ring]);
    json_integer(json, "count", report->count);
    /* The counts of all lines of one kind add up to how often it happened. */
    if (report->repeated) json_raw(json, ",\"repeats\":true");
    write_origin(json, report->act, report->origin);
    end_fields(json, report->number, report->missing);
}

static void write_native(struct json *json, const struct report *report, const char *namespace)
{
    static const char *const levels[] = {"DEBUG", "WARN", "ERROR"};
    begin_fields(json, report->fresh, report->verdict->mode == FS_ALLOW ? "allowed" : "violation",
                 levels[report->verdict->mode]);
    json_whole(json, "message", report->sentence, SENTENCE_MOST);
    write_rule(json, report);
    write_details(json, report->act);
    if (namespace[0]) ocsf_write_metrics(json, namespace, facts_value("AWS_LAMBDA_FUNCTION_NAME"));
    write_rest(json, report);
}

static void write_finding(struct json *json, const struct report *report, const char *namespace)
{
    const char *function = facts_value("AWS_LAMBDA_FUNCTION_NAME");
    struct ocsf finding = {report->act,
                           report->verdict,
                           nonce,
                           report->number,
                           atomic_load(&arn_known) == 2 ? function_arn : "",
                           function ? function : ""};
    begin_fields(json, report->fresh, NULL, report->verdict->mode == FS_BLOCK ? "ERROR" : "WARN");
    json_whole(json, "message", report->sentence, SENTENCE_MOST);
    ocsf_write(json, &finding);
    json_integer(json, "count", report->count);
    if (namespace[0]) {
        ocsf_write_metrics(json, namespace, facts_value("AWS_LAMBDA_FUNCTION_NAME"));
        write_family(json, report);
    }
    json_raw(json, ",\"unmapped\":{\"event\":\"violation\",\"event_version\":1");
    write_rule(json, report);
    write_details(json, report->act);
    write_rest(json, report);
    json_raw(json, "}");
}

void lines_write(const struct act *act, const struct fs_verdict *verdict,
                 const struct origin *origin, uint32_t count, bool repeated)
{
    lines_begin();
    struct line *line = take_line();
    if (line == NULL) {
        sink_count_lost(1);
        return;
    }
    sentence_compose(&line->sentence, act, verdict, origin);
    sentence_entry(&line->entry, act, verdict, origin);
    struct report report = {act,
                            verdict,
                            origin,
                            line->sentence.bytes,
                            line->entry.size > 0 ? line->entry.bytes : NULL,
                            count,
                            atomic_fetch_add(&sequence, 1),
                            sink_take_lost(),
                            repeated,
                            takes_fresh_line(),
                            line->tenant,
                            ""};
    uint32_t turn = atomic_load(&request_turn);
    memcpy(report.id, request_id, sizeof report.id);
    memcpy(line->tenant, tenant_id, sizeof line->tenant);
    line->tenant[sizeof line->tenant - 1] = report.id[sizeof report.id - 1] = '\0';
    if (turn % 2 != 0 || turn != atomic_load(&request_turn)) line->tenant[0] = report.id[0] = '\0';
    bool finding = verdict->mode != FS_ALLOW && guard.policy->flags & FS_FLAG_EVENTS_OCSF;
    const char *namespace = verdict->mode != FS_ALLOW ? guard.emf_namespace : "";
    /* If the line does not fit, each string gets less room, until it does. */
    for (line->json.shrink = 0; line->json.shrink < 6; line->json.shrink++) {
        if (finding)
            write_finding(&line->json, &report, namespace);
        else
            write_native(&line->json, &report, namespace);
        if (!line->json.full && line->json.size < sizeof line->json.bytes) break;
    }
    send_line(&line->json, act->family, report.missing);
    give_line(line);
}

static void set_text(char *out, size_t room, const char *text, size_t size)
{
    if (size >= room) size = room - 1;
    memcpy(out, text, size);
    memset(out + size, 0, room - size);
}

void lines_invocation_begins(const char *id, size_t size, const char *tenant, size_t tenant_size)
{
    atomic_fetch_add(&request_turn, 1);
    set_text(request_id, sizeof request_id, id, size);
    set_text(tenant_id, sizeof tenant_id, tenant, tenant_size);
    atomic_fetch_add(&request_turn, 1);
    sink_invocation_begins();
}
