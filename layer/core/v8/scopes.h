/* Scopes for the handles of V8's heap, where the program exports none: from V8 14 on they are made
 * of inline functions. */
#ifndef FS_SCOPES_H
#define FS_SCOPES_H

#include <stdbool.h>

/* Finds where an isolate keeps its newest scope. False where that is not certain. */
bool scopes_found(void *isolate);

/* As HandleScope's constructor and destructor; after scopes_found. */
void scopes_enter(void *scope, void *isolate);
void scopes_leave(void *scope);

#endif
