/* Doors of requests whose argument the kernel reads as a structure with addresses in it.
 *
 * Native code puts addresses into structures by design. Python's fcntl and socket modules pass on
 * whatever bytes the program gives them, and so hand the whole memory to a program that has no
 * native code: what comes from there must be in requests.table. Other callers are native code
 * already. */
#include "memory/requests.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "events/events.h"
#include "guard/guard.h"
#include "memory/native.h"
#include "cpython/python.h"
#include "requests.gen.h"
#include "libc/symbols.h"
#include "support/text.h"

static __thread uint64_t judged __attribute__((tls_model("initial-exec"))); /* request + 1 */

static bool is_in(const uint32_t *numbers, size_t count, uint32_t number)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (numbers[middle] == number) return true;
        if (numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
#define IS_IN(list, number) is_in(list, sizeof(list) / sizeof *(list), number)

/* The kernel takes 32 bits. */
enum request_kind requests_ioctl(unsigned long request)
{
    if (IS_IN(ioctl_struct, (uint32_t)request)) return REQUEST_STRUCT;
    return IS_IN(ioctl_int, (uint32_t)request) ? REQUEST_INT : REQUEST_OTHER;
}

enum request_kind requests_fcntl(int command)
{
    if (IS_IN(fcntl_struct, (uint32_t)command)) return REQUEST_STRUCT;
    return IS_IN(fcntl_int, (uint32_t)command) ? REQUEST_INT : REQUEST_OTHER;
}

static bool is_plain_option(int level, int name)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].level == level && name >= options[i].first && name <= options[i].last)
            return true;
    return false;
}

const char *requests_name(char words[REQUEST_WORDS], const char *call, unsigned request)
{
    char digits[12];
    *text_digits(digits, request, 16) = '\0';
    (void)TEXT_JOIN(words, REQUEST_WORDS, call, " 0x", digits);
    return words;
}

void requests_judged(unsigned long request) { judged = (uint64_t)request + 1; }

bool requests_from_python(const char *module, const void *caller)
{
    struct symbols_object object, interpreter;
    if (!python.PySys_AddAuditHook) return false;
    caller = native_caller(caller);
    if (!symbols_object_of(caller, &object)) return true; /* code that nobody can name */
    const char *slash = strrchr(object.path, '/'), *name = slash ? slash + 1 : object.path;
    size_t size = strlen(module);
    if (strncmp(name, module, size) == 0 && name[size] == '.') return true;
    return symbols_object_of((const void *)(uintptr_t)python.PySys_AddAuditHook, &interpreter) &&
           object.base == interpreter.base;
}

bool requests_option_refused(const char *verb, int level, int name, const void *caller)
{
    if (LIKELY(!python.PySys_AddAuditHook || is_plain_option(level, name)) || !guard_ready() ||
        guard_ignores(FS_NATIVE) || !requests_from_python("_socket", caller))
        return false;
    char words[REQUEST_WORDS], option[TEXT_NUMBER_SIZE], of[TEXT_NUMBER_SIZE];
    text_number(option, (unsigned)name);
    text_number(of, (unsigned)level);
    (void)TEXT_JOIN(words, sizeof words, "socket option ", option, " of level ", of);
    return native_refused(verb, words, caller);
}

extern int ioctl(int, unsigned long, ...);
DOOR int ioctl(int fd, unsigned long request, ...)
{
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (UNLIKELY(fd == guard.event_fd) && guard_ready())
        return errno = EBADF, -1; /* marked close-on-exec, it is missing in a child */
    /* The shell that a terminal belongs to runs it, without the guard. */
    if (UNLIKELY((unsigned)request == TIOCSTI || (unsigned)request == TIOCLINUX) && guard_ready() &&
        integrity_refused("type into", "a terminal", CALLER()))
        return -1;
    if (python.PySys_AddAuditHook && guard_ready() && !guard_ignores(FS_NATIVE)) {
        uint64_t was_judged = judged;
        judged = 0;
        if (UNLIKELY(was_judged != (uint64_t)request + 1 &&
                     requests_ioctl(request) == REQUEST_OTHER) &&
            requests_from_python("fcntl", CALLER())) {
            char words[REQUEST_WORDS];
            if (native_refused("pass an address by",
                               requests_name(words, "ioctl", (unsigned)request), CALLER()))
                return -1;
        }
    }
    if (UNLIKELY(!real.ioctl)) guard_start();
    return real.ioctl(fd, request, argument);
}

#include "doors_requests.gen.h"
