/* program.c: the reader of ELF headers and #! lines, on a file in memory. */
#include "processes/program.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("program", MFD_CLOEXEC);
    if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size)) exit(1);
    (void)fchmod(fd, 0755);
    struct fs_program program;
    const char *sentence = fs_program_check_object(fd, false, &program);
    PROMISE(sentence == NULL || sentence[0] != '\0');
    PROMISE(program.scripts <= FS_PROGRAM_DEPTH);
    for (unsigned i = 0; i < program.scripts; i++) {
        PROMISE(memchr(program.script[i].interpreter, '\0', FS_PROGRAM_LINE) != NULL);
        PROMISE(memchr(program.script[i].argument, '\0', FS_PROGRAM_LINE) != NULL);
    }
    if (program.fd >= 0) close(program.fd);
    close(fd);
    return 0;
}
