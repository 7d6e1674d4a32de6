/* The verdict of this process: the policy's verdict, changed by configure, the floor and a dry
 * run. Also keeps what the interpreter ring has reported. No I/O. */
#include "guard/callers.h"
#include "guard/guard.h"
#include "support/keyed_hash.h"

static struct fs_verdict reconfigured(struct fs_verdict verdict, uint8_t mode)
{
    verdict.mode = mode;
    verdict.reason = FS_RECONFIGURED;
    verdict.source = NULL;
    return verdict;
}

/* Asks one policy. The callers are read only if a policy needs them, and once for both. */
static void ask(const struct fs_policy *policy, const struct fs_request *request, uint64_t *set,
                struct fs_verdict *verdict)
{
    *verdict = fs_policy_decide(policy, request);
    if (LIKELY(!verdict->only_for) || request->callers) return;
    const char *names[CALLERS_MAX];
    if (*set == 0) *set = callers_of(request);
    struct fs_callers callers = callers_list(*set, names);
    struct fs_request asked = *request;
    asked.callers = &callers;
    *verdict = fs_policy_decide(policy, &asked);
}

struct fs_verdict guard_decide(const struct fs_request *request)
{
    struct fs_verdict asked[2];
    return request->family == FS_INTEGRITY ? guard_integrity() : guard_decide_each(request, asked);
}

struct fs_verdict guard_decide_each(const struct fs_request *request, struct fs_verdict asked[2])
{
    uint64_t callers = 0;
    ask(guard.policy, request, &callers, &asked[0]);
    struct fs_verdict verdict = asked[0];
    if (request->family <= FS_HANDLER) {
        /* Exceptions in the policy file stand: configure only changes what happens where no entry
         * allows. */
        bool excepted =
            verdict.reason == FS_RULE || verdict.reason == FS_ALWAYS ||
            (request->family == FS_OUTBOUND && !guard.loopback_listed && fs_is_loopback(request));
        uint8_t tightened =
            atomic_load_explicit(&guard_tightened[request->family], memory_order_relaxed);
        if (!excepted && tightened > verdict.mode + 1)
            verdict = reconfigured(verdict, (uint8_t)(tightened - 1));
        uint8_t loosened = guard_thread.loosened[request->family];
        if (loosened != 0 && verdict.mode > loosened - 1)
            verdict = reconfigured(verdict, (uint8_t)(loosened - 1));
    }
    if (guard.floor) {
        ask(guard.floor, request, &callers, &asked[1]);
        asked[1].floor = true;
        if (asked[1].mode > verdict.mode) verdict = asked[1];
    }
    if (guard.dry_run && verdict.mode == FS_BLOCK) verdict.mode = FS_ALERT;
    verdict.callers = callers;
    return verdict;
}

static bool tightened_to_block(void)
{
    for (unsigned family = 0; family < 4; family++)
        if (atomic_load_explicit(&guard_tightened[family], memory_order_relaxed) == FS_BLOCK + 1)
            return true;
    return false;
}

struct fs_verdict guard_integrity(void)
{
    struct fs_verdict verdict = {
        .mode = FS_ALLOW, .policy_mode = FS_BLOCK, .reason = FS_GUARD, .rule = UINT32_MAX};
    if (guard.blocks_any || (!guard.dry_run && tightened_to_block()))
        verdict.mode = FS_BLOCK;
    else if (guard.dry_run)
        verdict.mode = FS_ALERT;
    else if (guard.watches_any)
        verdict.mode = verdict.policy_mode = FS_ALERT;
    return verdict;
}

uint64_t guard_object_hash(const char *object)
{
    struct keyed_hash hash;
    keyed_hash_begin(&hash);
    keyed_hash_text(&hash, object);
    return keyed_hash_end(&hash);
}

void guard_note(enum fs_family family, uint8_t mode, const char *object)
{
    guard_thread.note_family = (uint8_t)(family + 1);
    guard_thread.note_mode = mode;
    guard_thread.note_object = object ? guard_object_hash(object) : 0;
}

bool guard_noted(enum fs_family family, const char *object)
{
    if (LIKELY(guard_thread.note_family != family + 1)) return false;
    return guard_thread.note_object == 0 || !object ||
           guard_thread.note_object == guard_object_hash(object);
}
