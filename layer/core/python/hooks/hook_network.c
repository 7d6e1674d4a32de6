/* Audit events about sockets and names. Python looks a name up before it raises socket.connect, so
 * what is judged here is nearly always an address. The name that led to it is known from the
 * lookup. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "python/arguments.h"
#include "python/frames.h"
#include "python/hooks/hook.h"
#include "network/network.h"
#include "python/origin/origin.h"
#include "network/names/resolvers.h"
#include "network/runtime_api/runtime_api.h"
#include "support/sys.h"
#include "events/events.h"
#include "network/names/names.h"

struct destination {
    const char *host;
    uint16_t port;
    uint8_t ip[16];
    uint8_t version; /* 0: host is a name */
};

/* (host, port[, flow, scope]). False for any other address. */
static bool read_destination(PyObject *address, struct destination *out)
{
    if (!address || !python_is(address, python.PyTuple_Type) || python.PyTuple_Size(address) < 2)
        return false;
    const char *host = argument_text(python.PyTuple_GetItem(address, 0));
    long port = argument_number(python.PyTuple_GetItem(address, 1), -1);
    if (!host || port < 0 || port > 65535) return false;
    *out = (struct destination){.host = host, .port = (uint16_t)port};
    if (host[0] == '\0')
        out->version = 4; /* INADDR_ANY, or its like: Linux dials loopback */
    else if (strcmp(host, "<broadcast>") == 0)
        memset(out->ip, 255, 4), out->version = 4;
    else if (!address_parse(host, out->ip, &out->version))
        out->version = 0;
    return true;
}

static const char *protocol_of(PyObject *socket)
{
    int type = 0;
    socklen_t size = sizeof type;
    int fd = python.PyObject_AsFileDescriptor(socket);
    if (fd < 0) {
        python.PyErr_Clear();
        return NULL;
    }
    if (sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return NULL;
    return type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : "other";
}

static int judge_name(const struct hook_row *row, const char *name, uint16_t port)
{
    struct fs_verdict verdict = names_judge(name, port, NULL);
    if (LIKELY(verdict.mode == FS_ALLOW && !guard_tells_allowed())) return 0;
    char object[ADDRESS_OBJECT_MAX];
    names_object(name, port, object);
    struct act act = {.family = FS_OUTBOUND, .verb = row->verb, .host = name, .port = port};
    return hook_verdict(&act, &verdict, object, NULL);
}

static int judge_address(const struct hook_row *row, PyObject *socket, const struct destination *to)
{
    struct sockaddr_storage storage = {0};
    size_t size = sizeof(struct sockaddr_in);
    if (to->version == 4) {
        struct sockaddr_in *address = (struct sockaddr_in *)&storage;
        address->sin_family = AF_INET;
        address->sin_port = __builtin_bswap16(to->port);
        memcpy(&address->sin_addr, to->ip, 4);
    } else {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)&storage;
        size = sizeof *address;
        address->sin6_family = AF_INET6;
        address->sin6_port = __builtin_bswap16(to->port);
        memcpy(&address->sin6_addr, to->ip, 16);
    }
    char host[FS_HOST_MAX + 1], ip[ADDRESS_TEXT_MAX], object[ADDRESS_OBJECT_MAX];
    uint16_t port;
    enum fs_family family;
    bool announced;
    struct fs_verdict verdict =
        network_judge_target(&storage, size, host, ip, &port, &family, &announced);
    if (UNLIKELY(announced)) {
        /* The lookup was reported. If another package made it, the connection is an act of its own.
         */
        guard_thread.note_package = origin_package_id_now();
        verdict = network_judge_target(&storage, size, host, ip, &port, &family, &announced);
    }
    /* To a name server, the door judges the question, and needs the caller. */
    if (UNLIKELY(to->port == RESOLVERS_PORT)) origin_keep();
    if (LIKELY(verdict.mode == FS_ALLOW && !guard_tells_allowed())) return 0;
    if (family == FS_RUNTIME_API) {
        /* The door decides, because it knows what else may pass, and needs the caller. */
        origin_keep();
        return 0;
    }
    address_object(ip, port, object);
    struct act act = {.family = family,
                      .verb = row->verb,
                      .host = host[0] ? host : NULL,
                      .ip = ip,
                      .port = port,
                      .protocol = protocol_of(socket)};
    return hook_verdict(&act, &verdict, object, NULL);
}

static int judge(const struct hook_row *row, PyObject *arguments)
{
    struct destination to;
    /* A socket's file is judged as a file, whatever it is used for. */
    if (argument_text(argument(arguments, row->path))) return hook_path(row, arguments);
    if (guard_ignores(FS_OUTBOUND) && guard_ignores(FS_RUNTIME_API)) return 0;
    if (!read_destination(argument(arguments, row->path), &to)) return 0;
    if (to.version == 0) return guard_ignores(FS_OUTBOUND) ? 0 : judge_name(row, to.host, to.port);
    return judge_address(row, argument(arguments, 0), &to);
}

int hook_connect(const struct hook_row *row, PyObject *arguments)
{
    runtime_api_client_asked = false;
    if (guard.runtime_api_port != 0) {
        struct destination to;
        if (read_destination(argument(arguments, 1), &to) && to.port == guard.runtime_api_port &&
            frames_only_runtime_client())
            runtime_api_client_asked = true;
    }
    return judge(row, arguments);
}

int hook_send(const struct hook_row *row, PyObject *arguments) { return judge(row, arguments); }

/* A socket's file under /tmp. */
int hook_bind(const struct hook_row *row, PyObject *arguments)
{
    PyObject *address = argument(arguments, row->path);
    return argument_text(address) ? hook_path(row, arguments) : 0;
}

static const char *kind_of(long family, long type)
{
    switch (family) {
    case AF_UNIX:
    case AF_NETLINK: return NULL; /* the door judges its protocols */
    case AF_INET:
    case AF_INET6: return (type & 15) == SOCK_RAW ? "raw" : NULL;
    case AF_PACKET: return "AF_PACKET";
    case AF_VSOCK: return "AF_VSOCK";
    case AF_ALG: return "AF_ALG";
    case AF_BLUETOOTH: return "AF_BLUETOOTH";
    case AF_CAN: return "AF_CAN";
    case AF_TIPC: return "AF_TIPC";
    default: return NULL;
    }
}

int hook_socket(const struct hook_row *row, PyObject *arguments)
{
    if (guard_ignores(FS_OUTBOUND)) return 0;
    /* socket(fileno=…) makes no socket; it passes -1 for unknown values. */
    long family = argument_number(argument(arguments, 1), -1),
         type = argument_number(argument(arguments, 2), -1);
    const char *kind = family < 0 ? NULL : kind_of(family, type);
    if (LIKELY(!kind)) return 0;
    struct fs_verdict verdict = network_judge_kind();
    struct act act = {.family = FS_OUTBOUND, .verb = row->verb, .protocol = kind};
    return hook_verdict(&act, &verdict, kind, NULL);
}

int hook_look_up(const struct hook_row *row, PyObject *arguments)
{
    if (guard_ignores(FS_OUTBOUND)) return 0;
    const char *host = argument_text(argument(arguments, 0));
    uint8_t ip[16], version;
    if (!host || !*host || address_parse(host, ip, &version)) return 0;
    PyObject *service = argument(arguments, 1);
    const char *text = argument_text(service);
    long port = text ? names_service_port(text) : argument_number(service, 0);
    return judge_name(row, host, port > 0 && port <= 65535 ? (uint16_t)port : 0);
}
