/* The launcher's own events. See event.h. */
#include "event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "events/json.h"
#include "events/secrets.h"
#include "support/sys.h"
#include "support/text.h"

enum { REFUSED = 78, EVENT_FD = 900 };

int event_fd = 2;

void event_write(const char *event, const char *level, const char *message)
{
    static bool knows_secrets;
    struct json json = {0};
    char now[28];
    if (!knows_secrets) secrets_read(environ);
    knows_secrets = true;
    json_timestamp(now);
    json_raw(&json, "{\"function_shield\":true");
    json_word(&json, "event", event);
    json_integer(&json, "event_version", 1);
    json_word(&json, "timestamp", now);
    json_word(&json, "level", level);
    json_text(&json, "message", message, 2048);
    json_text(&json, "version", FS_VERSION, 32);
    json_integer(&json, "pid", getpid());
    json_raw(&json, "}\n");
    /* A missing reader must not keep the function from starting. If the function does not start,
     * there is time to wait for its one line. */
    struct pollfd room = {.fd = event_fd, .events = POLLOUT};
    if (poll(&room, 1, strcmp(event, "refused") == 0 ? 1000 : 5) == 0) return;
    ssize_t written = write(event_fd, json.bytes, json.size);
    (void)written;
}

_Noreturn void event_refuse(const char *const *texts, size_t count)
{
    char message[2048];
    (void)text_join(message, sizeof message, texts, count);
    event_write("refused", "FATAL", message);
    _exit(REFUSED);
}

void event_open(void)
{
    const char *sink = getenv("FUNCTION_SHIELD_EVENTS");
    struct rlimit limit;
    int low = EVENT_FD;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < EVENT_FD + 16)
        low = limit.rlim_cur > 32 ? (int)limit.rlim_cur - 16 : 3;
    int from = 2;
    if (sink && strcmp(sink, "stdout") == 0) {
        from = 1;
    } else if (sink && *sink && strcmp(sink, "stderr") != 0) {
        from = open(sink, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (from < 0)
            REFUSE("FUNCTION_SHIELD_EVENTS: ", sink, " cannot be opened: ", strerror(errno));
    }
    int fd = (int)sys_call(SYS_fcntl, from, F_DUPFD, low);
    if (fd == -EBADF) {
        /* The stream is closed: the first file that the function opens would get this fd, and the
         * events. */
        from = open("/dev/null", O_WRONLY | O_CLOEXEC);
        fd = (int)sys_call(SYS_fcntl, from, F_DUPFD, low);
        close(from);
    } else if (from > 2) {
        close(from);
    }
    if (fd >= 0) event_fd = fd;
}
