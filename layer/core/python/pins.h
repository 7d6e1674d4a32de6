/* What native_code must note in each interpreter before the function's first line. */
#ifndef FS_PINS_H
#define FS_PINS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cpython/python.h"

/* No object crosses from one interpreter to another. */
struct pins {
    _Atomic int64_t id; /* of the interpreter, see pins.c */
    atomic_bool ended; /* it may still run finalisers */
    PyObject *find_frozen;
    PyObject *coroutine; /* the code of types.coroutine, once it was seen to be so */
    struct { /* importlib's own parts: NULL where this Python names them otherwise */
        PyObject *module, *compile, *get_code, *get_data, *reads, *io, *open_code;
    } importlib;
    struct { /* what passes the names of frozen modules to _imp.get_frozen_object */
        PyObject *module, *imp, *thaw, *call, *get_code;
    } frozen;
    PyObject *marshal, *loads;
    PyObject *dumped; /* the last code that went to another interpreter */
    bool compared;
};

int64_t pins_interpreter(void);
/* Of this thread's interpreter; NULL where it has none, and at its end. */
struct pins *pins_own(void);
/* This thread's interpreter is being made: nobody's code runs in it. */
bool pins_beginning(void);
/* A slot for a new interpreter, to be filled and passed to pins_done. NULL if it has one, or if
 * 1,024 interpreters exist. */
struct pins *pins_take(int64_t id);
void pins_done(struct pins *own, int64_t id);

#endif
