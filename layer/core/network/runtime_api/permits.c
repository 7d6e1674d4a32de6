/* The requests that callers other than the client may make of the Runtime API. See permits.h. No
 * libc calls beyond memory. */
#include "network/runtime_api/permits.h"

#include <string.h>

#include "network/runtime_api/http.h"

static const struct row {
    uint8_t permit;
    bool body; /* of the length that its head says */
    const char *line;
} rows[] = {
    {PERMIT_CREDENTIALS, false, "GET /2021-04-23/credentials"},
    {PERMIT_INIT_ERROR, true, "POST /2018-06-01/runtime/init/error"},
    {PERMIT_METADATA, false, "GET /2026-01-15/metadata/execution-environment"},
    {PERMIT_NEXT, false, "GET /2018-06-01/runtime/invocation/next"},
    {PERMIT_RESTORE, false, "GET /2018-06-01/runtime/restore/next"},
    {PERMIT_RESTORE_ERROR, true, "POST /2018-06-01/runtime/restore/error"},
};

static bool is_line(const struct host_request *request, size_t at, const char *rest)
{
    static const char version[] = " HTTP/1.1";
    size_t size = strlen(rest);
    return request->line_size == at + size + sizeof version - 1 &&
           memcmp(request->line + at, rest, size) == 0;
}

/* The request answers an invocation, and its line ends like this. */
static bool answers(const struct host_request *request, const char *rest, struct permitted_id *id)
{
    id->text = http_answers(request->line, request->line_size, &id->size);
    return id->text != NULL &&
           is_line(request, (size_t)(id->text - request->line) + id->size, rest);
}

uint8_t permits_request(uint8_t permits, const struct host_request *request,
                        struct permitted_id *id)
{
    *id = (struct permitted_id){NULL, 0};
    if (request->expects) return 0;
    if (request->chunked) {
        if (!(permits & PERMIT_STREAM) || !request->streams) return 0;
        return answers(request, "/response", id) ? PERMIT_STREAM : 0;
    }
    if (permits & PERMIT_ERROR && answers(request, "/error", id)) return PERMIT_ERROR;
    if ((permits & PERMIT_RUBY) == PERMIT_RUBY && answers(request, "/response", id))
        return PERMIT_ERROR;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!(permits & rows[i].permit) || !is_line(request, 0, rows[i].line)) continue;
        /* A server that answers before the body may take what follows for a request. */
        return rows[i].body || request->length == 0 ? rows[i].permit : 0;
    }
    return 0;
}
