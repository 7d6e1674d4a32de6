/* An extension module that a function's package brings, and that makes its system calls itself.
 *
 * For Python, it needs no headers of Python's: it leaves what it read in the module sys, and its
 * import fails. For Node, it prints what it read while it is loaded. */
#include <stdlib.h>
#include <string.h>

#include "raw.c"

static char text[200];

static int steal(void)
{
    const char *path = getenv("ATTACK_FILE");
    return path && raw_read(path, text, sizeof text - 1) > 0;
}

#ifdef OF_NODE
__attribute__((constructor)) static void say(void)
{
    if (steal()) raw_syscall(SYS_write, 1, (long)text, (long)strlen(text), 0, 0, 0);
}
#else
extern void *PyUnicode_FromString(const char *);
extern int PySys_SetObject(const char *, void *);

#ifdef OF_GO
#define PyInit_extension PyInit_of_go
/* As Go's linker writes it. */
__asm__(".pushsection .note.go.buildid, \"a\", %note\n"
        ".balign 4\n.long 4, 8, 4\n.ascii \"Go\\0\\0\"\n.ascii \"build id\"\n.popsection");
#endif

void *PyInit_extension(void)
{
    if (steal()) PySys_SetObject("stolen", PyUnicode_FromString(text));
    return NULL;
}
#endif
