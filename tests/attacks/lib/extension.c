/* An extension module that comes with a function's package, and makes its system calls itself. No
 * headers of Python are needed: what it read is left in the module sys, and the import fails. */
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
