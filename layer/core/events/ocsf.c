#include "events/ocsf.h"
#include "support/text.h"
#include "events/events.h"

#include <string.h>

static void string(struct json *json, const char *key, const char *text, size_t most)
{
    json_key(json, key);
    json_string(json, text, most);
}

static void identity(struct json *json, const struct ocsf *finding)
{
    char uid[16 + 1 + TEXT_NUMBER_SIZE];
    size_t size = strnlen(finding->nonce, 16);
    memcpy(uid, finding->nonce, size);
    uid[size] = '-';
    text_number(uid + size + 1, finding->seq);
    json_string(json, uid, sizeof uid);
}

/* What the act was about, as far as OCSF has a place for it. Absent, where it is not known: OCSF
 * knows no null. */
static void evidence(struct json *json, const struct ocsf *finding)
{
    const struct guard_act *act = finding->act;
    if (act->family == FS_OUTBOUND || act->family == FS_RUNTIME_API) {
        if (!act->host && !act->ip) return;
        json_raw(json, ",\"evidences\":[{\"dst_endpoint\":{");
        const char *comma = "";
        if (act->host) {
            json_raw(json, "\"hostname\":");
            json_string(json, act->host, 255);
            comma = ",";
        }
        if (act->ip) {
            json_raw(json, comma);
            json_raw(json, "\"ip\":");
            json_string(json, act->ip, 64);
        }
        if (act->port) {
            json_key(json, "port");
            json_number(json, act->port);
        }
        json_raw(json, "}}]");
        return;
    }
    if (!act->path) return;
    const char *slash = strrchr(act->path, '/');
    const char *name = slash && slash[1] ? slash + 1 : act->path;
    if (act->family == FS_PROCESS) {
        /* A process has a pid or an id; one that has not been started has the id that it was asked
         * for under. */
        json_raw(json, ",\"evidences\":[{\"process\":{\"uid\":");
        identity(json, finding);
        string(json, "name", name, 64);
        if (act->arguments) string(json, "cmd_line", act->arguments, 256);
        json_raw(json, "}}]");
        return;
    }
    json_raw(json, ",\"evidences\":[{\"file\":{\"type_id\":0,\"name\":");
    json_string(json, name, 64);
    string(json, "path", act->path, 256);
    json_raw(json, "}}]");
}

void ocsf_write(struct json *json, const struct ocsf *finding)
{
    bool blocked = finding->verdict->mode == FS_BLOCK;
    const char *rule = fs_family_names[finding->act->family];
    const char *source = finding->verdict->source;
    json_raw(json, ",\"class_uid\":2004,\"class_name\":\"Detection "
                   "Finding\",\"category_uid\":2,\"category_name\":\"Findings\""
                   ",\"activity_id\":1,\"activity_name\":\"Create\",\"type_uid\":200401"
                   ",\"type_name\":\"Detection Finding: "
                   "Create\",\"status_id\":1,\"status\":\"New\",\"is_alert\":true,\"time\":");
    json_number(json, json_milliseconds());
    json_raw(
        json,
        blocked
            ? ",\"severity_id\":4,\"severity\":\"High\",\"action_id\":2,\"action\":\"Denied\""
              ",\"disposition_id\":2,\"disposition\":\"Blocked\""
            : ",\"severity_id\":3,\"severity\":\"Medium\",\"action_id\":3,\"action\":\"Observed\""
              ",\"disposition_id\":19,\"disposition\":\"Alert\"");
    json_raw(json, ",\"metadata\":{\"version\":\"1.5.0\",\"profiles\":[\"security_control\"],"
                   "\"product\":{\"name\":"
                   "\"FunctionShield, open\",\"vendor_name\":\"FunctionShield, "
                   "open\",\"version\":\"" FS_VERSION "\"},\"uid\":");
    identity(json, finding);
    json_raw(json, "},\"finding_info\":{\"uid\":");
    identity(json, finding);
    string(json, "title", rule, 32);
    json_raw(json, ",\"analytic\":{\"type_id\":1,\"type\":\"Rule\",\"name\":");
    json_string(json, source && source[0] ? source : rule, 128);
    json_raw(json, "}}");
    if (finding->arn[0] || finding->function[0]) { /* a resource has one of the two */
        json_raw(json, ",\"resources\":[{\"type\":\"AWS::Lambda::Function\"");
        if (finding->arn[0]) string(json, "uid", finding->arn, 256);
        if (finding->function[0]) string(json, "name", finding->function, 140);
        json_raw(json, "}]");
    }
    evidence(json, finding);
}

void ocsf_write_metrics(struct json *json, const char *namespace, const char *function)
{
    bool named = function && function[0];
    if (named) {
        json_key(json, "function");
        json_string(json, function, 140);
    }
    json_raw(json, ",\"_aws\":{\"Timestamp\":");
    json_number(json, json_milliseconds());
    json_raw(json, ",\"CloudWatchMetrics\":[{\"Namespace\":");
    /* Never shortened: a name cut is another name. The compiler bounds it. */
    uint8_t shrink = json->shrink;
    json->shrink = 0;
    json_string(json, namespace, 256);
    json->shrink = shrink;
    json_raw(json, ",\"Dimensions\":[[\"policy\",\"mode\"]");
    if (named) json_raw(json, ",[\"function\",\"policy\",\"mode\"]");
    json_raw(json, "],\"Metrics\":[{\"Name\":\"count\",\"Unit\":\"Count\"}]}]}");
}
