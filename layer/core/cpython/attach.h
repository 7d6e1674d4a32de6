/* Holds the interpreter for this thread while a door reads Python's frames. */
#ifndef FS_ATTACH_H
#define FS_ATTACH_H

#include <stdbool.h>

struct attach {
    int state; /* of PyGILState_Ensure */
    bool taken; /* the interpreter was released before, and is to be released again */
    bool collects; /* the garbage collector was on */
};

/* Call it once, after the hook was added. */
void attach_start(void);
/* Call it before a fork and in its child: notes whether the child has the lock too. */
void attach_forks(void);
void attach_forked(void);
/* At each import event, with which every interpreter begins. */
void attach_sees_import(void);
/* Returns true if this process has, or once had, several interpreters. */
bool attach_several(void);

/* Returns true if `address` lies in the program or library that contains the interpreter. */
bool attach_is_interpreter(const void *address);
/* The same, or in one of the interpreter's own modules. */
bool attach_is_python_code(const void *caller);

/* Returns true if this thread may now read through the C API; then call attach_end. Returns false
 * if this is not a Python thread, if `caller` is not the interpreter's own code, and at the
 * interpreter's end. No Python code runs before attach_end. */
bool attach_begin(struct attach *attach, const void *caller);
void attach_end(const struct attach *attach);

#endif
