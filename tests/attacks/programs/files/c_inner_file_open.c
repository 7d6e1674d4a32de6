// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp through the stream library's inner _IO_file_fopen
// proof: read
// needs: x86_64
#include "attack.h"
#include <dlfcn.h>

int main(void)
{
    FILE *stream = fopen("/dev/null", "r");
    FILE *(*file_fopen)(FILE *, const char *, const char *, int) =
        dlsym(RTLD_DEFAULT, "_IO_file_fopen");
    void (*file_close)(FILE *) = dlsym(RTLD_DEFAULT, "_IO_file_close_it");
    char line[256];
    if (!stream || !file_fopen || !file_close) return stopped("dlsym");
    file_close(stream);
    if (!file_fopen(stream, FILE_, "r", 0) || !fgets(line, sizeof line, stream))
        return stopped("_IO_file_fopen");
    return got(line);
}
