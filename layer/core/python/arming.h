/* Python's part of the guard, put in place. */
#ifndef FS_ARMING_H
#define FS_ARMING_H

#include <stdbool.h>
#include <stddef.h>

/* Called before main(): adds the hook if this program is a Python, or has loaded one. Returns true
 * if it did; `runtime` gets "python3.13". */
bool arming_arm(int argc, char **argv, char *runtime, size_t size);

#endif
