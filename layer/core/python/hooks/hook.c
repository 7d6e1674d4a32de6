#include "python/hooks/hook.h"

#include <string.h>

#include "files/made.h"
#include "guard/callers.h"
#include "python/arguments.h"
#include "python/hooks/seal.h"

/* Sources of names and arguments: CPython's docs, "Audit events table", and Modules/posixmodule.c,
 * socketmodule.c. */
static const struct hook_row rows[] = {
    {"os.listdir", hook_path, FS_TMP, "list", 0, -1, -1, -1, O_RDONLY | O_DIRECTORY},
    {"os.scandir", hook_path, FS_TMP, "list", 0, -1, -1, -1, O_RDONLY | O_DIRECTORY},
    {"os.mkdir", hook_path, FS_TMP, "create", 0, 2, -1, -1, O_CREAT | O_EXCL | O_WRONLY},
    {"os.rmdir", hook_path, FS_TMP, "remove", 0, 1, -1, -1, NOFOLLOW},
    {"os.remove", hook_path, FS_TMP, "remove", 0, 1, -1, -1, NOFOLLOW},
    {"os.rename", hook_path, FS_TMP, "rename", 0, 2, 1, 3, NOFOLLOW},
    {"os.link", hook_path, FS_TMP, "link", 0, 2, 1, 3, NOFOLLOW},
    {"os.symlink", hook_path, FS_TMP, "link", 1, 2, -1, -1, O_CREAT | O_EXCL | O_WRONLY},
    {"os.truncate", hook_path, FS_TMP, "truncate", 0, -1, -1, -1, O_WRONLY},
    {"os.chmod", hook_path, FS_TMP, "change", 0, 2, -1, -1, FOLLOW},
    {"os.chown", hook_path, FS_TMP, "change", 0, 3, -1, -1, FOLLOW},
    {"os.utime", hook_path, FS_TMP, "change", 0, 3, -1, -1, FOLLOW},
    {"os.setxattr", hook_path, FS_TMP, "change", 0, -1, -1, -1, FOLLOW},
    {"os.getxattr", hook_path, FS_TMP, "read", 0, -1, -1, -1, FOLLOW},
    {"os.listxattr", hook_path, FS_TMP, "read", 0, -1, -1, -1, FOLLOW},
    {"os.removexattr", hook_path, FS_TMP, "change", 0, -1, -1, -1, FOLLOW},
    {"os.chdir", hook_directory, FS_TMP, NULL, 0, -1, -1, -1, 0},
    {"os.fchdir", hook_directory, FS_TMP, NULL, 0, -1, -1, -1, 0},
    {"ctypes.dlopen", hook_library, FS_TMP, "load", 0, -1, -1, -1, O_RDONLY | MADE_EXECUTES},
    {"sqlite3.connect", hook_database, FS_TMP, "open", 0, -1, -1, -1, O_RDWR | O_CREAT},
    {"socket.__new__", hook_socket, FS_OUTBOUND, "open a socket", 0, -1, -1, -1, 0},
    {"socket.connect", hook_connect, FS_OUTBOUND, "connect", 1, -1, -1, -1, O_RDWR},
    {"socket.bind", hook_bind, FS_TMP, "bind", 1, -1, -1, -1, O_CREAT | O_EXCL | O_WRONLY},
    {"socket.sendto", hook_send, FS_OUTBOUND, "send", 1, -1, -1, -1, O_RDWR},
    {"socket.sendmsg", hook_send, FS_OUTBOUND, "send", 1, -1, -1, -1, O_RDWR},
    {"socket.getaddrinfo", hook_look_up, FS_OUTBOUND, "look up", 0, -1, -1, -1, 0},
    {"socket.gethostbyname", hook_look_up, FS_OUTBOUND, "look up", 0, -1, -1, -1, 0},
    {"socket.gethostbyaddr", hook_look_up, FS_OUTBOUND, "look up", 0, -1, -1, -1, 0},
    {"subprocess.Popen", hook_popen, FS_PROCESS, "execute", 0, -1, -1, -1, 0},
    {"os.exec", hook_execute, FS_PROCESS, "execute", 0, -1, -1, -1, 0},
    {"os.posix_spawn", hook_execute, FS_PROCESS, "execute", 0, -1, -1, -1, 0},
    {"os.spawn", hook_execute, FS_PROCESS, "execute", 1, -1, -1, -1, 0},
    {"os.system", hook_system, FS_PROCESS, "execute", 0, -1, -1, -1, 0},
    {"os.fork", hook_fork, FS_PROCESS, "fork", 0, -1, -1, -1, 0},
    {"os.forkpty", hook_fork, FS_PROCESS, "fork", 0, -1, -1, -1, 0},
    {"pty.spawn", hook_terminal, FS_PROCESS, "execute", 0, -1, -1, -1, 0},
    {"function_shield.configure", hook_configure, FS_INTEGRITY, NULL, 0, -1, -1, -1, 0},
    {"function_shield.armed", hook_armed, FS_INTEGRITY, NULL, 0, -1, -1, -1, 0},
    {"function_shield.violation", hook_violation, FS_INTEGRITY, NULL, 0, -1, -1, -1, 0},
};

/* Finds a row by its name's hash. The table is filled at start, which takes a microsecond, because
 * a table made at compile time would be hard to read. */
enum { SLOTS = 256 };
static uint8_t slots[SLOTS]; /* row + 1 */
_Static_assert(sizeof rows / sizeof *rows < 255, "a slot is a byte");

static uint32_t hash(const char *name)
{
    uint32_t value = 0;
    for (; *name; name++) value = value * 31 + (unsigned char)*name;
    return value ^ value >> 8;
}

void hook_start(void)
{
    hook_native_start();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t slot = hash(rows[i].event) % SLOTS;
        while (slots[slot]) slot = (slot + 1) % SLOTS;
        slots[slot] = (uint8_t)(i + 1);
    }
}

static const struct hook_row *find(const char *event)
{
    for (uint32_t slot = hash(event) % SLOTS; slots[slot]; slot = (slot + 1) % SLOTS) {
        const struct hook_row *row = &rows[slots[slot] - 1];
        if (strcmp(row->event, event) == 0) return row;
    }
    return NULL;
}

static int answer(const char *event, PyObject *arguments)
{
    const struct hook_row *row = find(event);
    if (!row || !python_is_running()) return 0;
    if (guard_thread.note_family == row->family + 1) guard_thread.note_family = 0;
    guard_thread.note_package = GUARD_PACKAGE_UNKNOWN;
    hook_forget();
    return row->answer(row, arguments);
}

/* The first two letters rule out nearly every event that is not watched. */
int hook_event(const char *event, PyObject *arguments, void *data)
{
    (void)data;
    if (UNLIKELY(hook_collector_waits)) hook_collector_goes_on();
    if (UNLIKELY(callers_matter)) callers_forget();
    switch (event[0]) {
    case 'o':
        if (event[1] == 'p' && event[2] == 'e' && event[3] == 'n' && event[4] == '\0')
            return hook_open(arguments);
        if (event[1] == 's' && event[2] == '.') return answer(event, arguments);
        if (event[1] == 'b' && strcmp(event, "object.__setattr__") == 0)
            return hook_code_used(argument(arguments, 2), argument(arguments, 0));
        return 0;
    case 's':
        if (event[1] == 'o' || event[1] == 'u' || event[1] == 'q') return answer(event, arguments);
        if (event[1] == 'y' && strcmp(event, "sys.addaudithook") == 0) hook_notes_other_hooks();
        return 0;
    case 'e':
        if (event[1] == 'x' && event[2] == 'e' && event[3] == 'c' && event[4] == '\0')
            return hook_code_used(argument(arguments, 0), NULL) ? -1 : seal_executes(arguments);
        return 0;
    case 'i':
        if (event[1] == 'm' && strcmp(event, "import") == 0) return hook_import(arguments);
        return 0;
    case 'c':
        if (event[1] == 't' && strncmp(event, "ctypes.", 7) == 0) {
            if (hook_bridge_used() != 0) return -1;
            return event[7] == 'd' ? answer(event, arguments) : 0;
        }
        if (event[1] == 'o' && strcmp(event, "code.__new__") == 0) return hook_code(arguments);
        if (event[1] == 'p') hook_interpreter(event);
        return 0;
    case 'm':
        if (event[1] == 'a' &&
            (strcmp(event, "marshal.loads") == 0 || strcmp(event, "marshal.load") == 0))
            return hook_unmarshal(arguments);
        if (event[1] == 'a' && strcmp(event, "marshal.dumps") == 0) return hook_marshal(arguments);
        return 0;
    case 'p':
        if (event[1] == 't') return answer(event, arguments);
        return 0;
    case 'f':
        if (event[1] == 'c') return hook_request(event, arguments);
        if (event[1] == 'u' && strcmp(event, "function.__new__") == 0)
            return hook_code_used(argument(arguments, 0), NULL);
        if (event[1] == 'u') return answer(event, arguments);
        return 0;
    default: return 0;
    }
}
