// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp as a time zone, by formatting a time as wide text
// proof: read
#include "attack.h"
#include <wchar.h>

int main(void)
{
    char zone[512], text[256];
    wchar_t wide[256];
    struct tm time = {.tm_year = 120, .tm_mday = 1};
    snprintf(zone, sizeof zone, ":%s/zone", DIR_);
    setenv("TZ", zone, 1);
    wcsftime(wide, 256, L"%Z", &time);
    snprintf(text, sizeof text, "%ls", wide);
    return got(text);
}
