/* An extension module that a function's package brings, and that makes its system calls itself.
 * To need no Python headers, it leaves what it read in the module sys, and its import fails. */
#include <stdlib.h>

#include "raw.c"

extern void *PyUnicode_FromString(const char *);
extern int PySys_SetObject(const char *, void *);

void *PyInit_extension(void)
{
    static char text[200];
    const char *path = getenv("ATTACK_FILE");
    if (path && raw_read(path, text, sizeof text - 1) > 0)
        PySys_SetObject("stolen", PyUnicode_FromString(text));
    return NULL;
}
