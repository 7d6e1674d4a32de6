/* The handler's seal: before its module's first line runs, opening its source begins to be refused.
 */
#ifndef FS_SEAL_H
#define FS_SEAL_H

#include "cpython/python.h"

/* Reads which modules are handlers (guard/facts.h). */
void seal_start(void);
/* The audit event `exec`: code is about to run. Never fails. */
int seal_executes(PyObject *arguments);
/* A seal is on, and the path's last component is a name that the handler's file could have. */
bool seal_names(const char *path);

#endif
