/* The compiled policy: its format, and the one function that decides.
 *
 * Written by fshield/engine/compiler.py, read here. Little-endian, 8-byte aligned sections, no
 * pointers: a file can be mapped as it is. Every offset is checked where it is used, so that
 * mapping a policy costs the same for ten rules and for a thousand.
 *
 * The folder calls no libc but memcpy and its like, so that `fshield explain` can load the same
 * code on any system. */
#ifndef FS_POLICY_H
#define FS_POLICY_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#define FS_POLICY_MAGIC    "FSPOLICY"
#define FS_POLICY_MAJOR    1
#define FS_POLICY_MINOR    1
#define FS_POLICY_MAX_SIZE (16u << 20)
#define FS_HOST_MAX        253

enum fs_family {
    FS_OUTBOUND = 0,
    FS_TMP = 1,
    FS_PROCESS = 2,
    FS_HANDLER = 3,
    FS_NATIVE = 4,
    FS_RUNTIME_API = 5,
    FS_INTEGRITY = 6, /* no rule: the guard's own safety */
    FS_FAMILIES = 7
};

enum fs_mode { FS_ALLOW = 0, FS_ALERT = 1, FS_BLOCK = 2 };

/* Why a verdict is as it is. The names that events carry are in fs_reason_names. */
enum fs_reason {
    FS_NO_RULE = 0, /* no allow entry matched */
    FS_RULE = 1, /* an allow entry matched: `source` names it */
    FS_MODE_ALLOW = 2, /* the rule's mode is allow */
    FS_ALWAYS = 3, /* let through always: loopback, AF_UNIX, the Runtime API for its client, … */
    FS_PORT = 4, /* an entry matches the destination, but not this port */
    FS_UNNAMED = 5, /* an address that no lookup of an allowed name returned */
    FS_FAMILY = 6, /* a socket family that is refused */
    FS_GUARD = 7, /* guard integrity */
    FS_STATIC = 8, /* a program that cannot be guarded (static, setuid, foreign loader) */
    FS_MALFORMED = 9, /* a name or path that cannot be judged */
    FS_RECONFIGURED = 10, /* function_shield.configure decided */
    FS_VARIABLE = 11, /* nothing matched, but an entry would if its variable had been set to this
                         name at start */
    FS_TLS = 12, /* first bytes that are not the TLS greeting that the entry asks for */
    FS_SERVER_NAME = 13, /* first bytes that name a host which the entry does not allow */
    FS_ONLY_FOR = 14, /* an entry allows it for other callers: its only_for */
    FS_REASONS = 15
};

enum fs_flag {
    FS_FLAG_ALLOW_RECONFIGURE = 1u << 0,
    FS_FLAG_MODE_ALERT = 1u << 1, /* allow_mode_override lists alert */
    FS_FLAG_MODE_OFF = 1u << 2, /* … lists off */
    FS_FLAG_EVENTS_ALLOWED_FIRST = 1u << 3,
    FS_FLAG_EVENTS_OCSF = 1u << 4,
    FS_FLAG_KERNEL_FILE_SIZE = 1u << 5, /* the kernel lets no file grow */
    FS_FLAG_LOOPBACK_LISTED = 1u << 6, /* 127.0.0.1 and ::1 need a rule like other addresses:
                                          `loopback:` lists their ports */
    FS_FLAG_TMP_EPHEMERAL = 1u << 7, /* under `read_write_tmp: block`, what the function made
                                        itself is allowed */
    FS_FLAG_HANDLER_ALSO = 1u << 8, /* FS_LIST_CODE and FS_LIST_FILES are protected as the handler
                                       is */
    FS_FLAGS = (1u << 9) - 1,
    FS_FLAGS_IGNORABLE =
        0xffff0000u, /* those that an engine may pass over without letting more through */
};

/* What a file needs an engine to know: bits of `features`. The minor version only says who wrote
 * the file: an engine also runs a newer one. It refuses a file with an unknown feature, an
 * unknown flag that it may not ignore, or a reserved field that is set, because it would not
 * enforce what these mean. An addition to the format gets a bit here. If it can be lost without
 * harm, it gets a flag of the upper half instead. Engines of format 1.0 do not read this field.
 * So a file with a feature, or with a restricting flag that they do not know, has FS_GATE in a
 * mode, and they refuse it as damaged. */
enum fs_feature {
    FS_FEATURE_REGION = 1u << 0, /* keys with the label {region}: the function's region */
    FS_FEATURE_ACCOUNT = 1u << 1, /* keys that begin with the label {account} */
    FS_FEATURE_VPC_ENDPOINT = 1u << 2, /* keys with the label {vpce}: the id of any VPC endpoint */
    FS_FEATURE_VARIABLES = 1u << 3, /* the sections VARIABLES and TEMPLATES */
    FS_FEATURE_CONDITIONS = 1u << 4, /* rules that hold in some regions only */
    FS_FEATURE_ONLY_FOR = 1u << 5, /* rules that count for some callers only */
    FS_FEATURE_FORK = 1u << 6, /* the path FS_FORK among those of create_child_process */
    FS_FEATURES = (1u << 7) - 1
};
#define FS_GATE        0xff
#define FS_GATE_FAMILY 7 /* index into `modes` */

enum fs_section_kind {
    FS_SECTION_RULES = 1, /* struct fs_rule[] */
    FS_SECTION_PORTS = 2, /* struct fs_port_range[] */
    FS_SECTION_HOSTS = 3, /* struct fs_host_slot[], open addressing, a power of two */
    FS_SECTION_CIDRS = 4, /* struct fs_cidr_slot[], open addressing, a power of two */
    FS_SECTION_LENGTHS = 5, /* struct fs_length[]: the prefix lengths that occur, longest first */
    FS_SECTION_PATHS = 6, /* struct fs_path[], in the file's order */
    FS_SECTION_STRINGS = 7, /* bytes; a string is NUL-terminated; offset 0 is "" */
    FS_SECTIONS = 8, /* those that the header's table holds; the others have fields of their own */
    FS_SECTION_VARIABLES = 8, /* struct fs_variable[] */
    FS_SECTION_TEMPLATES = 9, /* struct fs_template[] */
    FS_SECTION_KINDS = 10
};

#define FS_VARIABLES_MAX 32
#define FS_TEMPLATES_MAX 1024

struct fs_section {
    uint32_t offset; /* from the file's start; 0 and count 0 where absent */
    uint32_t count; /* entries (bytes for STRINGS) */
};

struct fs_policy {
    char magic[8];
    uint16_t major, minor;
    uint32_t size; /* of the whole file, a multiple of 8 */
    uint64_t checksum; /* fs_checksum over the file with this field as 0 */
    uint32_t flags; /* enum fs_flag */
    uint32_t name; /* string: the policy's name, as events show it */
    uint8_t modes[8]; /* enum fs_mode, by enum fs_family; 6 is 0, 7 is 0 or FS_GATE */
    uint32_t sources[8]; /* string: FILE:LINE of each family's mode, "" where it took a default */
    uint32_t emf_namespace; /* string, "" for none */
    uint32_t reserved;
    uint32_t features; /* enum fs_feature */
    uint32_t endpoints; /* the day of the endpoint data that services were compiled from, 20261117;
                           0 where there are none */
    struct fs_section variables, templates;
    struct fs_section sections[FS_SECTIONS]; /* by enum fs_section_kind; [0] unused */
};

/* AWS partitions, as botocore names them; 0 is any. */
enum fs_partition { FS_ANY_PARTITION = 0, FS_AWS = 1, FS_AWS_CN = 2, FS_AWS_EUSC = 3 };

struct fs_rule { /* one allow entry */
    uint32_t source; /* string: "default.yaml:14" */
    uint32_t text; /* string: the entry in one line, "host: api.stripe.com" */
    uint32_t ports; /* index of the first range */
    uint16_t port_count; /* 0: every port */
    uint8_t family; /* enum fs_family */
    uint8_t partition; /* enum fs_partition */
    uint8_t tls; /* 0 not stated, 1 required, 2 starttls, 3 none */
    uint8_t only_for[3]; /* string, low byte first: the callers that it counts for, as only_for.h
                            reads them; "" for all */
    /* string: where it holds. "" everywhere, "eu-west-1" there, "us-gov-" where the name begins so,
     * "!us-gov-" elsewhere */
    uint32_t region;
};

struct fs_port_range {
    uint16_t low, high;
};

struct fs_host_slot { /* name 0: an empty slot. Slots of one key follow each other: probing goes on
                         to an empty one */
    uint32_t hash; /* fs_hash of the key */
    uint32_t name; /* string: "api.stripe.com"; for "*.example.org" the key is "example.org" */
    uint32_t rule;
    uint32_t wildcard; /* 1: one or more labels before the key; 0: the key itself */
};

struct fs_variable {
    uint32_t name; /* string: of the environment variable, as it was at start */
    uint8_t kind; /* enum fs_variable_kind */
    uint8_t reserved[3];
};

enum fs_variable_kind {
    FS_VARIABLE_HOST = 0, /* labels of a host name */
    FS_VARIABLE_BUCKET = 1, /* one label that can be a bucket's name */
    FS_VARIABLE_LABEL = 2 /* part of one label */
};

/* A host whose name has variables in it. Those that are set and fit are put in at start
 * (expansion.h). */
struct fs_template {
    uint32_t pattern; /* string: "{bucket:BUCKET_NAME}.s3.{region}.amazonaws.com",
                         "{env:STAGE}.example.org" */
    uint32_t rule;
    uint32_t wildcard; /* as in fs_host_slot */
};

struct fs_cidr_slot { /* used 0: an empty slot */
    uint32_t hash; /* fs_hash of {version, length, address masked} = 18 bytes */
    uint32_t rule;
    uint8_t used, version /* 4 or 6 */, length, reserved;
    uint8_t address[16]; /* IPv4 in the first 4 bytes */
    uint32_t pad;
};

struct fs_length {
    uint8_t version, length, reserved[2];
};

/* Stands for a fork where a program's path would: no resolved path is like it, and no pattern of
 * programs, which begin with a slash. */
#define FS_FORK "fork"

/* Patterns that are no exceptions of a rule. */
enum fs_list {
    FS_LIST_CODE = 8, /* read_handler: files of code */
    FS_LIST_FILES = 9, /* read_handler: files */
    FS_LIST_QUIET = 10 /* read_handler: distributions whose reads make no event, normalised */
};

struct fs_path {
    uint32_t pattern; /* string. '*' and '?' do not match '/', "**" matches anything */
    uint32_t rule;
    uint8_t family; /* enum fs_family or enum fs_list */
    uint8_t reserved[7];
};

_Static_assert(sizeof(struct fs_policy) == 168, "the policy header is 168 bytes");
_Static_assert(sizeof(struct fs_rule) == 24, "rule");
_Static_assert(sizeof(struct fs_host_slot) == 16, "host slot");
_Static_assert(sizeof(struct fs_cidr_slot) == 32, "cidr slot");
_Static_assert(sizeof(struct fs_path) == 16, "path");
_Static_assert(sizeof(struct fs_variable) == 8, "variable");
_Static_assert(sizeof(struct fs_template) == 12, "template");

/* What a process knows about its function. Set at start, and never changed. */
struct fs_facts {
    const char *region; /* "" where it is not known or cannot be one */
    const char *account; /* 12 digits or "" */
    uint8_t partition; /* enum fs_partition */
    uint8_t expansion_count;
    const struct fs_expansion *expansions; /* one for each policy that has variables */
    const char *endpoints; /* labels that {vpce} stands for, each with a space behind it; NULL: any
                              that begins with vpce- */
};

/* Whose code is on the stack of the act. */
struct fs_callers {
    const char *const *names; /* distributions, normalised; "function", "unknown" */
    unsigned count;
    /* One that `only_for` lists requires `name`, directly or not. NULL: none does. */
    bool (*requires)(const char *only_for, const char *name);
};

/* What a caller is about to do. `names` are those that guarded lookups returned this address for; a
 * lookup itself has one name and no address. */
struct fs_request {
    enum fs_family family;
    const char *path; /* tmp, process, handler, native: resolved, absolute, NUL-terminated */
    const char *const *names;
    unsigned name_count;
    uint8_t ip[16];
    uint8_t ip_version; /* 0: no address (a lookup), 4, 6 */
    uint16_t port; /* 0 in a lookup whose port is not known: any port will do */
    const struct fs_facts *facts; /* NULL: nothing is known */
    bool made; /* tmp: the function made it, or may */
    bool look_up; /* a lookup: any code may look up a name that an entry spells out */
    const struct fs_callers *callers; /* NULL: not known, and no entry with only_for counts */
    const void *caller; /* of the door, for guard_decide; NULL: not known */
};

/* What a connection must say first, because of the entry by name that allows it; a later one is
 * stricter. Any, where the address or another of its names may be used with any protocol. */
enum fs_first_bytes { FS_BYTES_ANY = 0, FS_BYTES_HTTP = 1, FS_BYTES_TLS = 2 };

struct fs_verdict {
    uint8_t mode; /* enum fs_mode: what to do */
    uint8_t policy_mode; /* enum fs_mode: what the policy says */
    uint8_t reason; /* enum fs_reason */
    uint8_t name; /* index into names of the one that decided */
    bool floor; /* the floor decided, and not the function's own policy */
    uint8_t first_bytes; /* enum fs_first_bytes, where an entry by name allowed it */
    bool only_for; /* an entry with only_for would change it, if it counts for the caller */
    uint32_t rule; /* index, UINT32_MAX where none decided */
    const char *source; /* FILE:LINE or NULL; points into the policy */
    const char *outsider; /* FS_ONLY_FOR: the caller that it does not count for; NULL: not known */
    uint64_t callers; /* callers_of(), if guard_decide needed it; else 0 */
};

/* NULL if `bytes` is a policy that this engine runs; else what is wrong, in a few words. */
const char *fs_policy_check(const void *bytes, size_t size);

/* Pure: no I/O, no lock, no allocation. `policy` has passed fs_policy_check. */
struct fs_verdict fs_policy_decide(const struct fs_policy *policy,
                                   const struct fs_request *request);

/* Whether the entry that rule `rule` was compiled from allows `name` (normalised) as well, at the
 * port of `request` and with its other facts. Pure, as fs_policy_decide. One entry may be several
 * rules: they share their source and text. */
bool fs_policy_entry_allows_name(const struct fs_policy *policy, uint32_t rule, const char *name,
                                 const struct fs_request *request);

/* A pattern of this list matches `text`. */
bool fs_policy_lists(const struct fs_policy *policy, enum fs_list list, const char *text);

/* 127.0.0.1 and ::1, which are let through unless the policy lists their ports. Other loopback
 * addresses need a rule. */
bool fs_is_loopback(const struct fs_request *request);

/* The entry `index` of a section, or NULL. */
const void *fs_policy_item(const struct fs_policy *policy, enum fs_section_kind kind,
                           uint32_t index);
struct fs_section fs_policy_section(const struct fs_policy *policy, enum fs_section_kind kind);
const char *fs_policy_string(const struct fs_policy *policy, uint32_t offset);
const struct fs_rule *fs_policy_rule(const struct fs_policy *policy, uint32_t index);

/* FNV-1a, 32 bits. */
uint32_t fs_hash(const void *bytes, size_t size);
/* h = 0xcbf29ce484222325; for each little-endian 64-bit word w: h = rotl(h ^ w, 29) *
 * 0x9e3779b97f4a7c15 (mod 2^64). Every step can be undone, so a change within one word never goes
 * unseen. */
uint64_t fs_checksum(const void *bytes, size_t size);

extern const char *const fs_family_names[FS_FAMILIES];
extern const char *const fs_mode_names[3];
extern const char *const fs_reason_names[FS_REASONS];

#endif
