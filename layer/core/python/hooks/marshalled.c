#include "python/hooks/marshalled.h"

#include <string.h>

#include "python/arguments.h"
#include "cpython/attach.h"
#include "support/digest.h"
#include "python/hooks/hook.h"
#include "python/pins.h"

/* concurrent.interpreters marshals a function's code in one interpreter, and unmarshals it in
 * another before that one has a frame. Such bytes are nothing new if a code object of this process
 * was marshalled as them: SHA-256, of which 128 bits are kept. */
enum { SENT = 64, WORDS = 4 /* of eight digits */ };
static _Atomic uint64_t sent[SENT][WORDS];
static _Atomic unsigned sent_count;
static __thread bool dumping __attribute__((tls_model("initial-exec")));

static bool digest_of(PyObject *bytes, uint64_t digest[WORDS])
{
    char *content;
    _Alignas(8) char text[65];
    Py_ssize_t size;
    if (!bytes || python_type(bytes) != python.PyBytes_Type ||
        python.PyBytes_AsStringAndSize(bytes, &content, &size) != 0)
        return false;
    fs_sha256_hex(content, (size_t)size, text);
    memcpy(digest, text, WORDS * sizeof *digest);
    return true;
}

int hook_marshal(PyObject *arguments)
{
    if (LIKELY(!attach_several() || dumping || !python.PyMarshal_WriteObjectToString) ||
        guard_ignores(FS_NATIVE))
        return 0;
    struct pins *own = pins_own();
    PyObject *code = argument(arguments, 0), *type, *value, *trace;
    uint64_t digest[WORDS];
    if (!own || !code || python_type(code) != python.PyCode_Type) return 0;
    /* Another interpreter runs it without an event, so this is its use. */
    if (hook_code_used(code, NULL) != 0) return -1;
    python.PyErr_Fetch(&type, &value, &trace);
    /* marshal's output depends on whether an object has several references, so this adds one. */
    python.Py_IncRef(code);
    if (own->dumped) python.Py_DecRef(own->dumped);
    own->dumped = code;
    dumping = true;
    PyObject *bytes =
        python.PyMarshal_WriteObjectToString(code, (int)argument_number(argument(arguments, 1), 0));
    dumping = false;
    if (digest_of(bytes, digest)) {
        unsigned at = atomic_fetch_add(&sent_count, 1) % SENT;
        for (unsigned i = 0; i < WORDS; i++) atomic_store(&sent[at][i], digest[i]);
    }
    python.Py_DecRef(bytes);
    python.PyErr_Clear();
    python.PyErr_Restore(type, value, trace);
    return 0;
}

bool marshalled_is_known(PyObject *data)
{
    uint64_t digest[WORDS];
    if (LIKELY(!attach_several()) || python.PyEval_GetFrame() || !digest_of(data, digest))
        return false;
    for (unsigned i = 0; i < SENT; i++) {
        unsigned same = 0;
        while (same < WORDS && atomic_load(&sent[i][same]) == digest[same]) same++;
        if (same == WORDS) return true;
    }
    return false;
}
