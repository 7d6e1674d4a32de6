/* Handle scopes of V8's heap, if the program does not export them: since V8 14 they are inline
 * functions. */
#ifndef FS_SCOPES_H
#define FS_SCOPES_H

#include <stdbool.h>

/* Finds where an isolate keeps its newest scope. Returns false if that is not certain. */
bool scopes_found(void *isolate);

/* As HandleScope's constructor and destructor; after scopes_found. */
void scopes_enter(void *scope, void *isolate);
void scopes_leave(void *scope);

#endif
