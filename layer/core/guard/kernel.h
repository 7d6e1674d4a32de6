/* The kernel ring: a limit that this process puts on itself for good. See
 * docs/decisions/kernel-ring.md. */
#ifndef FS_KERNEL_H
#define FS_KERNEL_H

#include <stdbool.h>

/* Before main. In the function's process: sets the limit if the policy asks for it and nothing
 * prevents it. In a child, which inherits it: makes sure that a write past it is an error and does
 * not end the process. `really` is false for a query. Returns true if the limit holds, or would
 * hold. */
bool kernel_arm(bool really);

/* For `armed`: "file_size" where the limit holds, else why not; NULL where the policy does not ask
 * for it. */
const char *kernel_summary(void);

#endif
