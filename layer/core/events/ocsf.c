#include "events/ocsf.h"
#include "support/text.h"
#include "events/events.h"

#include <string.h>

static void identity(struct json *json, const struct ocsf *finding)
{
    char uid[16 + 1 + TEXT_NUMBER_SIZE];
    char digits[TEXT_NUMBER_SIZE];
    text_number(digits, finding->seq);
    (void)TEXT_JOIN(uid, sizeof uid, finding->nonce, "-", digits);
    json_text(json, "uid", uid, sizeof uid);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void file(struct json *json, const char *path)
{
    json_raw(json, "{\"file\":{\"type_id\":0");
    json_text(json, "name", name_of(path), 64);
    json_text(json, "path", path, 256);
    json_raw(json, "}}");
}

/* What the act was about, as far as OCSF has a field for it. Unknown fields are left out, because
 * OCSF has no null. */
static void evidence(struct json *json, const struct ocsf *finding)
{
    const struct act *act = finding->act;
    if (act->family == FS_OUTBOUND || act->family == FS_RUNTIME_API) {
        if (!act->host && !act->ip) return;
        json_raw(json, ",\"evidences\":[{\"dst_endpoint\":{");
        if (act->host) json_text(json, "hostname", act->host, 255);
        if (act->ip) json_text(json, "ip", act->ip, 64);
        if (act->port) json_integer(json, "port", act->port);
        json_raw(json, "}}]");
        return;
    }
    if (!act->path) return;
    if (act->family == FS_PROCESS) {
        /* A process has a pid or an id; one that has not been started has the id that it was asked
         * for under. */
        json_raw(json, ",\"evidences\":[{\"process\":{");
        identity(json, finding);
        json_text(json, "name", name_of(act->path), 64);
        if (act->arguments) json_text(json, "cmd_line", act->arguments, 256);
        json_raw(json, "}}]");
        return;
    }
    json_raw(json, ",\"evidences\":[");
    file(json, act->path);
    if (act->to) json_raw(json, ",");
    if (act->to) file(json, act->to);
    json_raw(json, "]");
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
                   "Create\",\"status_id\":1,\"status\":\"New\",\"is_alert\":true");
    json_integer(json, "time", json_milliseconds());
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
                   "open\",\"version\":\"" FS_VERSION "\"}");
    identity(json, finding);
    json_raw(json, "},\"finding_info\":{");
    identity(json, finding);
    json_text(json, "title", rule, 32);
    json_raw(json, ",\"analytic\":{\"type_id\":1,\"type\":\"Rule\"");
    json_text(json, "name", source && source[0] ? source : rule, 128);
    json_raw(json, "}}");
    if (finding->arn[0] || finding->function[0]) { /* a resource has one of the two */
        json_raw(json, ",\"resources\":[{\"type\":\"AWS::Lambda::Function\"");
        if (finding->arn[0]) json_text(json, "uid", finding->arn, 256);
        if (finding->function[0]) json_text(json, "name", finding->function, 140);
        json_raw(json, "}]");
    }
    evidence(json, finding);
}

void ocsf_write_metrics(struct json *json, const char *namespace, const char *function)
{
    bool named = function && function[0];
    if (named) json_text(json, "function", function, 140);
    json_raw(json, ",\"_aws\":{");
    json_integer(json, "Timestamp", json_milliseconds());
    json_raw(json, ",\"CloudWatchMetrics\":[{");
    /* Never shortened, because a shortened name is another name. The policy compiler bounds it. */
    json_whole(json, "Namespace", namespace, 256);
    json_raw(json, ",\"Dimensions\":[[\"policy\",\"mode\"]");
    if (named) json_raw(json, ",[\"function\",\"policy\",\"mode\"]");
    json_raw(json, "],\"Metrics\":[{\"Name\":\"count\",\"Unit\":\"Count\"}]}]}");
}
