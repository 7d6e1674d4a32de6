/* A static program: leaves a mark, and prints a file if it is given one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char text[512];
    if (argc > 1) {
        int fd = open(argv[1], O_RDONLY);
        ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);
        if (size > 0) (void)!write(1, text, (size_t)size);
    }
    const char *mark = getenv("ATTACK_MARK");
    if (argc > 2) mark = argv[2];
    if (mark) close(open(mark, O_CREAT | O_WRONLY, 0600));
    return 0;
}
