/* A violation as OCSF sees it: a Detection Finding (class 2004) with the security control profile.
 * And metrics in CloudWatch's embedded format, which stand on the same line. Sources:
 * https://schema.ocsf.io/1.5.0/classes/detection_finding?profiles=security_control, and
 * "Embedded metric format" at https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring.
 */
#ifndef FS_OCSF_H
#define FS_OCSF_H

#include "guard/guard.h"
#include "events/events.h"
#include "events/json.h"

struct ocsf {
    const struct act *act;
    const struct fs_verdict *verdict;
    const char *nonce;
    uint32_t seq;
    const char *arn, *function; /* "" where not known */
};

/* What comes before `count`, with a comma before each key. */
void ocsf_write(struct json *json, const struct ocsf *finding);

/* `_aws`, for the metric `count` with the dimensions `policy` and `mode`, which stand beside it. */
void ocsf_write_metrics(struct json *json, const char *namespace, const char *function);

#endif
