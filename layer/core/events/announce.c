/* Events about the guard itself. See announce.h. */
#include "events/announce.h"

#include "events/json.h"
#include "events/lines.h"
#include "events/sentence.h"
#include "events/sink.h"
#include "guard/facts.h"
#include "guard/guard.h"
#include "guard/kernel.h"
#include "support/sys.h"

static struct {
    const char *rings[3];
    unsigned count;
    const char *runtime;
} armed; /* what was announced at start, for announce_restored */

static void compose(struct json *json, const char *event)
{
    lines_open(json, event, "INFO");
    json_key(json, "message");
    struct sentence sentence = {0};
    sentence_say(&sentence, "FunctionShield guards this function by the policy ");
    sentence_say(&sentence, guard.policy_name);
    if (guard.dry_run) sentence_say(&sentence, ", as a dry run: nothing is blocked");
    json_string(json, sentence.bytes, 256);
    json_text(json, "version", FS_VERSION, 32);
    json_text(json, "policy_name", guard.policy_name, 64);
    const char *function = facts_value("AWS_LAMBDA_FUNCTION_NAME");
    if (function && function[0]) json_text(json, "function", function, 140);
    json_text(json, "policy_sha256", guard_policy_sha256, 64);
    json_text(json, "floor", guard.floor ? guard_floor_sha256 : NULL, 64);
    json_raw(json, guard.dry_run ? ",\"dry_run\":true" : ",\"dry_run\":false");
    json_raw(json, ",\"rings\":[");
    for (unsigned i = 0; i < armed.count; i++) {
        if (i > 0) json_raw(json, ",");
        json_string(json, armed.rings[i], 16);
    }
    json_raw(json, "]");
    json_text(json, "kernel", kernel_summary(), 320);
    json_text(json, "runtime", armed.runtime, 64);
}

static void note(const char *const *rings, unsigned ring_count, const char *runtime)
{
    for (armed.count = 0; armed.count < ring_count; armed.count++)
        armed.rings[armed.count] = rings[armed.count];
    armed.runtime = runtime;
}

void announce_armed(const char *const *rings, unsigned ring_count, const char *runtime)
{
    struct json json;
    note(rings, ring_count, runtime);
    compose(&json, "armed");
    lines_close(&json);
}

void announce_restored(void)
{
    struct json json;
    if (!guard.is_function) return;
    lines_renew();
    compose(&json, "armed");
    json_raw(&json, ",\"restored\":true");
    lines_close(&json);
}

void announce_self_test(const char *const *rings, unsigned ring_count, const char *runtime)
{
    struct json json;
    note(rings, ring_count, runtime);
    compose(&json, "self_test");
    json_raw(&json, "}\n");
    sys_write(1, json.bytes, json.size);
}

void announce_refused(const char *sentence)
{
    struct json json;
    lines_open(&json, "refused", "FATAL");
    json_text(&json, "message", sentence, 1024);
    sink_await_room();
    lines_close(&json);
    sys_exit(78);
}
