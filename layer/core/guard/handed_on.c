/* The state that the launcher hands to the core, and a core to its children. See handed_on.h. */
#include "guard/handed_on.h"

#include <string.h>

static bool append(char *out, size_t size, size_t *at, const char *text, char after)
{
    size_t length = text ? strlen(text) : 0;
    if (length + 2 > size - *at) return false;
    if (text) memcpy(out + *at, text, length);
    *at += length;
    out[(*at)++] = after;
    return true;
}

size_t handed_on_write(char *out, size_t size, const char *const fields[STATE_FIELDS])
{
    size_t at = 0;
    if (!append(out, size, &at, STATE_VARIABLE, '=') ||
        !append(out, size, &at, STATE_VERSION, STATE_SEPARATOR))
        return 0;
    for (unsigned i = STATE_FIELD_VERSION + 1; i < STATE_FIELDS; i++)
        if (!append(out, size, &at, fields[i], i + 1 < STATE_FIELDS ? STATE_SEPARATOR : '\0'))
            return 0;
    return at - 1;
}

bool handed_on_read(char *state, char *fields[STATE_FIELDS])
{
    unsigned count = 0;
    for (char *at = state; at && count < STATE_FIELDS; count++) {
        fields[count] = at;
        at = strchr(at, STATE_SEPARATOR);
        if (at) *at++ = '\0';
    }
    return count == STATE_FIELDS && strcmp(fields[STATE_FIELD_VERSION], STATE_VERSION) == 0;
}
