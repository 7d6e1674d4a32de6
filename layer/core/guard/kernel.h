/* The kernel ring: a limit that this process puts on itself for good. See
 * docs/decisions/kernel-ring.md. */
#ifndef FS_KERNEL_H
#define FS_KERNEL_H

#include <stdbool.h>

/* Before main. In the function's process: sets the limit where the policy asks for it and nothing
 * stands against it. In a child, which inherits it: sees that a write past it is an error and no
 * death. `really`: false for what only asks. True where the limit holds, or would. */
bool kernel_arm(bool really);

/* For `armed`: "file_size" where the limit holds, else why not; NULL where the policy does not ask
 * for it. */
const char *kernel_says(void);

#endif
