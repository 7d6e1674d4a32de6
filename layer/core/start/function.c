/* What the environment says of the function. See function.h. */
#include "start/function.h"

#include <string.h>
#include <sys/utsname.h>
#include <arpa/inet.h>

#include "events/secrets.h"
#include "files/files.h"
#include "files/handler.h"
#include "guard/facts.h"
#include "guard/guard.h"
#include "network/proxies.h"
#include "policy/expansion.h"
#include "start/policies.h"
#include "support/sys.h"
#include "support/text.h"

extern char **environ;

static uint8_t partition_of(const char *region)
{
    if (!region) return FS_AWS;
    if (strncmp(region, "cn-", 3) == 0) return FS_AWS_CN;
    if (strncmp(region, "eusc-", 5) == 0) return FS_AWS_EUSC;
    return FS_AWS;
}

/* HOST:PORT, the host an address or a name. */
static void read_endpoint(const char *text, char *host, size_t size, uint8_t ip[16],
                          uint8_t *version, uint16_t *port)
{
    if (!text) return;
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    if (length >= size) return;
    memcpy(host, text, length);
    host[length] = '\0';
    *port = colon ? (uint16_t)text_int(colon + 1) : 80;
    unsigned char six[16];
    if (inet_pton(AF_INET, host, ip) == 1) {
        *version = 4;
    } else if (inet_pton(AF_INET6, host, six) == 1) {
        static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
        if (memcmp(six, mapped, sizeof mapped) == 0) {
            memcpy(ip, six + 12, 4);
            *version = 4;
        } else {
            memcpy(ip, six, 16);
            *version = 6;
        }
    } else if (strcmp(host, "localhost") == 0) {
        memcpy(ip, (const uint8_t[]){127, 0, 0, 1}, 4);
        *version = 4;
    }
}

void function_read(void)
{
    char host[256];
    read_endpoint(facts_value("AWS_LAMBDA_RUNTIME_API"), guard.runtime_api_host,
                  sizeof guard.runtime_api_host, guard.runtime_api_ip,
                  &guard.runtime_api_ip_version, &guard.runtime_api_port);
    const char *xray = facts_value("AWS_XRAY_DAEMON_ADDRESS");
    /* "tcp:HOST:PORT udp:HOST:PORT" names both; one of them is kept, and serves for both protocols.
     */
    const char *udp = xray ? strstr(xray, "udp:") : NULL;
    char endpoint[256];
    if (xray) {
        text_copy(endpoint, sizeof endpoint,
                  udp                             ? udp + 4
                  : strncmp(xray, "tcp:", 4) == 0 ? xray + 4
                                                  : xray);
        endpoint[strcspn(endpoint, " ")] = '\0';
        xray = endpoint;
    }
    read_endpoint(xray, host, sizeof host, guard.xray_ip, &guard.xray_ip_version, &guard.xray_port);
    const char *root = facts_value("LAMBDA_TASK_ROOT"),
               *runtime = facts_value("LAMBDA_RUNTIME_DIR");
    if (root) text_copy(guard.task_root, sizeof guard.task_root, root);
    if (runtime) text_copy(guard.runtime_dir, sizeof guard.runtime_dir, runtime);
    const char *region = facts_value("AWS_REGION");
    if (!region) region = facts_value("AWS_DEFAULT_REGION");
    guard.facts.region = fs_region_of(region);
    /* What SDKs build account-based names from, where it is set. */
    const char *endpoints = facts_value(FACTS_ENDPOINTS);
    guard.facts.endpoints = endpoints ? endpoints : "";
    guard.facts.account = fs_account_of(facts_value("AWS_ACCOUNT_ID"));
    guard.facts.partition = partition_of(region);
    policies_expand();
    handler_read_names();
    proxies_start();
    secrets_read(environ);
    struct utsname names;
    if (sys_call(SYS_uname, &names) == 0)
        text_copy(guard.host_name, sizeof guard.host_name, names.nodename);
}
