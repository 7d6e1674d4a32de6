/* The rows of doors.table. See door_names.h. */
#include "libc/door_names.h"

struct fs_real real;

const struct door_names door_names = {
#define FS_DOOR(symbol, slot, family, own) .name_##symbol = #symbol,
#include "doors.gen.h"
#undef FS_DOOR
};

const struct door_row door_rows[] = {
#define FS_DOOR(symbol, slot, family, own)                                                         \
    {offsetof(struct door_names, name_##symbol), offsetof(struct fs_real, slot), own},
#include "doors.gen.h"
#undef FS_DOOR
};
