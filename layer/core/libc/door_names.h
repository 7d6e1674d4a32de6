/* The rows of doors.table as data without pointers, because two thousand pointers would be
 * relocated at every start. */
#ifndef FS_DOOR_NAMES_H
#define FS_DOOR_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "real.gen.h"

struct door_names {
#define FS_DOOR(symbol, slot, family, own) char name_##symbol[sizeof #symbol];
#include "doors.gen.h"
#undef FS_DOOR
};

struct door_row {
    uint16_t name, slot; /* where in door_names, in real */
    bool own; /* not another name of a door */
};

extern const struct door_names door_names;
extern const struct door_row door_rows[];

enum {
#define FS_DOOR(symbol, slot, family, own) DOOR_INDEX_##symbol,
#include "doors.gen.h"
#undef FS_DOOR
    DOOR_COUNT
};

_Static_assert(sizeof(struct door_names) <= UINT16_MAX && sizeof(struct fs_real) <= UINT16_MAX,
               "offsets are 16 bits");

static inline const char *door_name(unsigned index)
{
    return (const char *)&door_names + door_rows[index].name;
}
/* The slot of libc's own function in `real`. */
static inline void **door_slot(unsigned index)
{
    return (void **)(void *)((char *)&real + door_rows[index].slot);
}
static inline bool door_is_own(unsigned index) { return door_rows[index].own; }

#endif
