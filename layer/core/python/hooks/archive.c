/* Other code can pass for the import system by borrowing its frames' names. So what the import
 * system gets contains nothing of the handler. It is a copy in memory, because under the kernel's
 * limit no file can hold one. */
#include "python/hooks/archive.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "guard/guard.h"
#include "python/arguments.h"
#include "python/frames.h"
#include "python/pins.h"
#include "support/sys.h"
#include "support/zip.h"

enum { ARCHIVE_MAX = 1 << 29 };

static char archive[ARCHIVE_PATH_MAX]; /* written once */
static atomic_int known; /* 0 no, 1 being written, 2 yes */
static PyObject *copy; /* a bytes object of the main interpreter's */
static char *bytes; /* its own */
static Py_ssize_t size;

bool archive_is(const char *path)
{
    return atomic_load_explicit(&known, memory_order_acquire) == 2 && strcmp(path, archive) == 0;
}

bool archive_import_reads(void)
{
    struct frame frame = {0};
    bool reads = false;
    for (unsigned depth = 0; depth < 8 && frames_next(&frame); depth++) {
        if (strcmp(frame.path, "<frozen zipimport>") == 0) continue;
        reads = depth > 0 && strncmp(frame.path, "<frozen importlib._bootstrap", 28) == 0;
        break;
    }
    frames_stop(&frame);
    return reads;
}

static PyObject *in_memory(PyObject *io)
{
    /* Objects must not be shared between interpreters. */
    PyObject *own = copy, *made = NULL;
    if (pins_interpreter() != 0)
        own = python.PyBytes_FromStringAndSize(bytes, size);
    else
        python.Py_IncRef(own);
    PyObject *type = own ? python.PyObject_GetAttrString(io, "BytesIO") : NULL;
    if (type) made = python.PyObject_CallFunctionObjArgs(type, own, NULL);
    python.Py_DecRef(type);
    python.Py_DecRef(own);
    return made;
}

/* All other files are opened as without the guard. */
static PyObject *open_file(PyObject *io, PyObject *path)
{
    PyObject *made = NULL, *mode = python.PyUnicode_DecodeUTF8("rb", 2, NULL);
    PyObject *open = mode ? python.PyObject_GetAttrString(io, "open") : NULL;
    if (open) made = python.PyObject_CallFunctionObjArgs(open, path, mode, NULL);
    python.Py_DecRef(open);
    python.Py_DecRef(mode);
    return made;
}

static PyObject *open_code(PyObject *path, void *data)
{
    (void)data;
    PyObject *io = python.PyImport_ImportModule("_io");
    if (!io) return NULL;
    const char *text = argument_text(path);
    bool imports = text && archive_is(text) && archive_import_reads();
    PyObject *made = imports ? in_memory(io) : open_file(io, path);
    python.Py_DecRef(io);
    return made;
}

static PyObject *copy_of(int fd)
{
    struct stat status;
    if (sys_fstat(fd, &status) != 0 || status.st_size <= 0 || status.st_size > ARCHIVE_MAX)
        return NULL;
    size_t length = (size_t)status.st_size;
    long mapped = sys_call(SYS_mmap, NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped < 0 && mapped > -4096) return NULL;
    PyObject *made = python.PyBytes_FromStringAndSize(NULL, status.st_size);
    bool whole = made && python.PyBytes_AsStringAndSize(made, &bytes, &size) == 0;
    if (whole) {
        memset(bytes, 0, length);
        whole = zip_copy((uint8_t *)bytes, (const uint8_t *)mapped, length);
    }
    sys_call(SYS_munmap, mapped, length);
    if (whole || !made) return made;
    python.Py_DecRef(made);
    return NULL;
}

static void give_copies(const char *path, const char *member)
{
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return;
    copy = copy_of(fd);
    sys_close(fd);
    if (copy && zip_blank((uint8_t *)bytes, (size_t)size, member))
        (void)python.PyFile_SetOpenCodeHook(open_code, NULL);
    python.PyErr_Clear();
}

void archive_seal(const char *path, const char *member)
{
    int no = 0;
    if (atomic_compare_exchange_strong(&known, &no, 1)) {
        strcpy(archive, path);
        if (guard_blocks(FS_HANDLER, path) && pins_interpreter() == 0) give_copies(path, member);
        atomic_store(&known, 2);
    } else if (archive_is(path) && copy && !zip_blank((uint8_t *)bytes, (size_t)size, member)) {
        memset(bytes, 0,
               (size_t)size); /* a second handler in the same zip: its entry must be left out too */
    }
}
