/* Hints for the compiler: exported, likely, unlikely; and the caller's address. */
#ifndef FS_HINTS_H
#define FS_HINTS_H

#define DOOR        __attribute__((visibility("default")))
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CALLER()    __builtin_extract_return_addr(__builtin_return_address(0))

#endif
