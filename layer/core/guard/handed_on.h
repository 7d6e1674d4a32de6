/* What the launcher hands to the core, and a core to its children: the variable
 * FUNCTION_SHIELD_STATE.
 *
 * Fields, separated by the unit separator 0x1f, in this order. The core takes the variable out of
 * the environment at start; its doors put it into the environment of every child. */
#ifndef FS_HANDED_ON_H
#define FS_HANDED_ON_H

#include <stdbool.h>
#include <stddef.h>

#define STATE_VARIABLE  "FUNCTION_SHIELD_STATE"
#define STATE_SEPARATOR '\x1f'
#define STATE_VERSION   "1"
#define STATE_MAX       16384

enum state_field {
    STATE_FIELD_VERSION,
    STATE_FIELD_PID, /* of the process that is, or becomes, COMMAND */
    STATE_FIELD_COMMAND, /* DEV.INO of the program that COMMAND runs; "~NAME" behind a shim; ""
                            where the first program is COMMAND */
    STATE_FIELD_WORDS, /* OWN.MORE.NAME: COMMAND's name as given; MORE of its arguments are the same
                          word, and of the words that a #! line puts in front, up to OWN are none of
                          its arguments. "" with STATE_FIELD_COMMAND */
    STATE_FIELD_FLAGS, /* letters: d dry run, c covered by the parent's event, p PYTHONPATH was set
                          before us, t self-test, u UDP sockets were made, x a program of the
                          function's was there before */
    STATE_FIELD_EVENT_FD,
    STATE_FIELD_POLICY_SHA, /* 64 hexadecimal digits */
    STATE_FIELD_POLICY, /* path */
    STATE_FIELD_FLOOR_SHA, /* "" where there is no floor */
    STATE_FIELD_FLOOR,
    STATE_FIELD_LAYER, /* the folder that holds function-shield */
    STATE_FIELD_FACTS, /* see facts.h; "" where the environment tells */
    STATE_FIELD_SEALED, /* DEV.INO of each source of a sealed handler, with commas */
    STATE_FIELD_SECRETS, /* see secrets.h; "" where the environment tells */
    STATE_FIELDS
};

#define CORE_FILE     "function-shield.d/function-shield.so"
#define SITE_FOLDER   "function-shield.d/site"
#define POLICY_FOLDER "function-shield.d/policies"

/* Writes "FUNCTION_SHIELD_STATE=…" of the fields but the version, which is written by itself;
 * NULL stands for "". Returns its length, 0 where it does not fit. The owner of the last field
 * may append to it. */
size_t handed_on_write(char *out, size_t size, const char *const fields[STATE_FIELDS]);

/* Takes the variable's value apart, in place. False where another version wrote it. */
bool handed_on_read(char *state, char *fields[STATE_FIELDS]);

#endif
