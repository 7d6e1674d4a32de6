/* function_shield's messages: they come by sys.audit, and their answers go into the list that the
 * message brings.
 *
 * Any code in the process can send them. They can always tighten. To loosen, they need the first
 * caller's cookie, and a policy that permits it. That supports programs written for
 * FunctionShield, but is not a boundary. */
#include <string.h>

#include "python/arguments.h"
#include "python/hooks/hook.h"
#include "support/sys.h"
#include "python/violation.h"

enum { COOKIE_BYTES = 16, CONFIGURABLE = 4 };

static char cookie[2 * COOKIE_BYTES + 1];
static atomic_int cookie_state; /* 0 not requested yet, 1 being made, 2 given out */

static int reply(PyObject *list, PyObject *value)
{
    int result = -1;
    if (value && list && python_type(list) == python.PyList_Type)
        result = python.PyList_Append(list, value);
    else if (!python.PyErr_Occurred())
        python.PyErr_SetString(*python.PyExc_ValueError,
                               "function_shield: a list for the answer is needed");
    python.Py_DecRef(value);
    return result;
}

/* True for the one caller that gets the cookie. */
static bool make_cookie(void)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[COOKIE_BYTES];
    int none = 0;
    if (!atomic_compare_exchange_strong(&cookie_state, &none, 1)) return false;
    if (sys_call(SYS_getrandom, random, sizeof random, 0) != (long)sizeof random) {
        atomic_store(&cookie_state, 0);
        return false;
    }
    for (size_t i = 0; i < sizeof random; i++) {
        cookie[2 * i] = digits[random[i] >> 4];
        cookie[2 * i + 1] = digits[random[i] & 15];
    }
    atomic_store(&cookie_state, 2);
    return true;
}

/* Takes constant time for strings of that length. */
static bool is_cookie(const char *text)
{
    unsigned char different = 0;
    if (atomic_load(&cookie_state) != 2 || strlen(text) != sizeof cookie - 1) return false;
    for (size_t i = 0; i < sizeof cookie - 1; i++)
        different |= (unsigned char)(text[i] ^ cookie[i]);
    return different == 0;
}

static uint8_t in_force(unsigned family)
{
    uint8_t mode = guard.policy->modes[family];
    uint8_t tightened = atomic_load(&guard_tightened[family]);
    return tightened > mode + 1 ? (uint8_t)(tightened - 1) : mode;
}

static void tighten(unsigned family, uint8_t mode)
{
    uint8_t now = atomic_load(&guard_tightened[family]);
    while (mode > FS_ALLOW && now < mode + 1)
        if (atomic_compare_exchange_weak(&guard_tightened[family], &now, (uint8_t)(mode + 1)))
            return;
}

static void apply(unsigned family, uint8_t mode, bool may_loosen)
{
    uint8_t *loosened = &guard_thread.loosened[family];
    if (mode < in_force(family)) {
        /* Without the right to loosen, this has no effect, except on a thread that was loosened
         * further before. */
        if (may_loosen || (*loosened != 0 && mode + 1 > *loosened)) *loosened = (uint8_t)(mode + 1);
        return;
    }
    tighten(family, mode);
    *loosened = 0;
}

/* (reply, cookie or None, (outbound, tmp, process, handler)): each -1 for unchanged, or enum
 * fs_mode. */
int hook_configure(const struct hook_row *row, PyObject *arguments)
{
    (void)row;
    PyObject *given = argument(arguments, 1), *modes = argument(arguments, 2);
    const char *text = argument_text(given);
    uint8_t wanted[CONFIGURABLE];
    if ((!argument_is_none(given) && !text) || !modes ||
        python_type(modes) != python.PyTuple_Type || python.PyTuple_Size(modes) != CONFIGURABLE) {
        python.PyErr_SetString(*python.PyExc_ValueError,
                               "function_shield.configure: a malformed message");
        return -1;
    }
    for (unsigned i = 0; i < CONFIGURABLE; i++) {
        long mode = argument_number(argument(modes, i), 3);
        if (mode < -1 || mode > FS_BLOCK) {
            python.PyErr_SetString(*python.PyExc_ValueError,
                                   "function_shield.configure: a mode is allow, alert or block");
            return -1;
        }
        wanted[i] = mode < 0 ? UINT8_MAX : (uint8_t)mode;
    }
    bool right = text && *text && is_cookie(text);
    if (text && *text && !right) {
        python.PyErr_SetString(
            *python.PyExc_PermissionError,
            "function_shield.configure: this is not the cookie that the first call returned");
        return -1;
    }
    bool first = make_cookie();
    bool may_loosen = right && (guard.policy->flags & FS_FLAG_ALLOW_RECONFIGURE);
    for (unsigned i = 0; i < CONFIGURABLE; i++)
        if (wanted[i] != UINT8_MAX) apply(i, wanted[i], may_loosen);
    return reply(argument(arguments, 0), violation_text(first || right ? cookie : ""));
}

static bool put(PyObject *dict, const char *key, PyObject *value)
{
    bool ok = value && python.PyDict_SetItemString(dict, key, value) == 0;
    python.Py_DecRef(value);
    return ok;
}

/* (reply): what holds in this process, as a dict. The modes are those of the calling thread. */
int hook_armed(const struct hook_row *row, PyObject *arguments)
{
    (void)row;
    PyObject *answer = python.PyDict_New(), *modes = python.PyDict_New();
    bool ok = answer && modes;
    for (unsigned family = 0; ok && family < FS_INTEGRITY; family++) {
        uint8_t mode = family < CONFIGURABLE ? in_force(family) : guard.policy->modes[family];
        if (family < CONFIGURABLE && guard_thread.loosened[family] != 0)
            mode = guard_thread.loosened[family] - 1;
        if (guard.floor && guard.floor->modes[family] > mode) mode = guard.floor->modes[family];
        if (guard.dry_run && mode == FS_BLOCK) mode = FS_ALERT;
        ok = put(modes, fs_family_names[family], violation_text(fs_mode_names[mode]));
    }
    if (!ok && modes) python.Py_DecRef(modes);
    ok = ok && put(answer, "modes", modes) && put(answer, "version", violation_text(FS_VERSION)) &&
         put(answer, "policy_name", violation_text(guard.policy_name)) &&
         put(answer, "dry_run", python.PyBool_FromLong(guard.dry_run));
    if (ok) return reply(argument(arguments, 0), answer);
    python.Py_DecRef(answer);
    return -1;
}

/* (reply): the type of the errors that the hook raises in this interpreter. */
int hook_violation(const struct hook_row *row, PyObject *arguments)
{
    (void)row;
    return reply(argument(arguments, 0), violation_type());
}
