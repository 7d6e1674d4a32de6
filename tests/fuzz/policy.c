/* fs_policy_check and fs_policy_decide. Size and checksum in the header are corrected, so that
 * the rest is read too: first the request (2 bytes of length, then its fields), then the policy. */
#include "policy/expansion.h"
#include "policy/policy.h"

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

enum { HEAD = 22, TEXT = 64 };

static void repair(uint8_t *bytes, size_t size)
{
    struct fs_policy head;
    if (size < sizeof head) return;
    memcpy(&head, bytes, sizeof head);
    memcpy(head.magic, FS_POLICY_MAGIC, sizeof head.magic);
    head.major = FS_POLICY_MAJOR;
    head.size = (uint32_t)size;
    head.checksum = 0;
    memcpy(bytes, &head, sizeof head);
    head.checksum = fs_checksum(bytes, size);
    memcpy(bytes, &head, sizeof head);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, room);
    /* One in eight keeps its header, so that the header's check is fuzzed as well. */
    if (size > HEAD + TEXT && seed % 8 != 0) {
        size_t policy = (size - HEAD - TEXT) & ~(size_t)7;
        repair(data + HEAD + TEXT, policy);
        size = HEAD + TEXT + policy;
    }
    return size;
}

static const char *value_of(void *context, const char *name)
{
    return name[0] == 'N' ? NULL : context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD + TEXT) return 0;
    char *first = copied_text(data + HEAD, TEXT / 2),
         *second = copied_text(data + HEAD + TEXT / 2, TEXT / 2);
    size_t length = size - HEAD - TEXT;
    uint8_t *policy = aligned_alloc(8, (length + 7) & ~(size_t)7);
    if (!policy) exit(1);
    memcpy(policy, data + HEAD + TEXT, length);
    if (fs_policy_check(policy, length) == NULL) {
        const struct fs_policy *compiled = (const void *)policy;
        const char *names[] = {first, second};
        struct fs_facts facts = {
            .region = "eu-west-1", .account = "123456789012", .partition = data[4] % 4};
        struct fs_expansion expansion;
        void *memory = calloc(1, fs_expansion_size(compiled) + 1);
        if (!memory) exit(1);
        if (fs_expand(compiled, value_of, second, memory, &expansion)) {
            facts.expansions = &expansion;
            facts.expansion_count = 1;
        }
        struct fs_request request = {
            .family = (enum fs_family)(data[0] % FS_FAMILIES),
            .path = data[1] & 1 ? NULL : first,
            .names = names,
            .name_count = data[2] % 3,
            .ip_version = (const uint8_t[]){0, 4, 6}[data[3] % 3],
            .facts = &facts,
            .port = (uint16_t)(data[5] & 1 ? 443 : data[5] * 257),
        };
        memcpy(request.ip, data + 6, sizeof request.ip);
        struct fs_verdict verdict = fs_policy_decide(compiled, &request);
        PROMISE(verdict.mode <= FS_BLOCK && verdict.policy_mode <= FS_BLOCK &&
                verdict.reason < FS_REASONS);
        PROMISE(verdict.source == NULL || strlen(verdict.source) < length);
        PROMISE(request.name_count == 0 || verdict.name < request.name_count);
        struct fs_verdict again = fs_policy_decide(compiled, &request);
        PROMISE(again.mode == verdict.mode && again.rule == verdict.rule &&
                again.reason == verdict.reason);
        if (verdict.rule != UINT32_MAX) {
            const struct fs_rule *rule = fs_policy_rule(compiled, verdict.rule);
            PROMISE(rule == NULL || fs_policy_string(compiled, rule->text) != NULL);
        }
        (void)fs_is_loopback(&request);
        for (uint32_t rule = 0; rule < 4; rule++)
            (void)fs_policy_entry_allows_name(compiled, rule, first, &request);
        free(memory);
    }
    free(policy);
    free(first);
    free(second);
    return 0;
}
