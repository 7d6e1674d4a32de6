/* Python's part of the guard, put in place. */
#ifndef FS_ARMING_H
#define FS_ARMING_H

#include <stdbool.h>
#include <stddef.h>

/* Called before main(): arms the hook where this program is, or has loaded, a Python. True where it
 * did; `runtime` gets "python3.13". */
bool arming_arm(int argc, char **argv, char *runtime, size_t size);

#endif
