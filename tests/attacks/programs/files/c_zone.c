// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp as a time zone
// proof: read
#include "attack.h"
#include <time.h>

int main(void)
{
    char zone[512];
    snprintf(zone, sizeof zone, ":%s/zone", DIR_);
    setenv("TZ", zone, 1);
    tzset();
    return got(tzname[0]);
}
