/* What the environment says of the function. */
#ifndef FS_FUNCTION_H
#define FS_FUNCTION_H

/* Where the Runtime API is, which file is the handler, which values are secrets, and the names of
 * the policies, which depend on it. */
void function_read(void);

#endif
