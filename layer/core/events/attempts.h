/* Attempts on the guard. */
#ifndef FS_ATTEMPTS_H
#define FS_ATTEMPTS_H

#include <stdbool.h>

/* Reports an attempt on the guard ("VERB OBJECT" completes "tried to …"). Returns true if it is
 * refused; errno is then EACCES. */
bool integrity_refused(const char *verb, const char *object, const void *caller);

#endif
