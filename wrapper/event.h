/* What the launcher says in an event: that the command does not start, or that it starts
 * otherwise than was asked. */
#ifndef FS_WRAPPER_EVENT_H
#define FS_WRAPPER_EVENT_H

#include <stddef.h>

/* Where events go, the standard error until event_open() has been called. */
extern int event_fd;

/* Opens what FUNCTION_SHIELD_EVENTS names, at an fd that functions do not reach. */
void event_open(void);

void event_write(const char *event, const char *level, const char *message);

/* Says the texts, joined, in a "refused" event, and exits 78. */
_Noreturn void event_refuse(const char *const *texts, size_t count);

#define REFUSE(...)                                                                                \
    event_refuse((const char *const[]){__VA_ARGS__},                                               \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

#endif
