// class: files
// rule: read_write_tmp
// success: a C program reads a file in /tmp by its handle
// proof: read
// needs: root
#include "attack.h"

int main(void)
{
    struct {
        struct file_handle handle;
        unsigned char bytes[128];
    } handle = {.handle.handle_bytes = 128};
    int mount_id, folder = open(".", O_RDONLY | O_DIRECTORY);
    if (name_to_handle_at(AT_FDCWD, FILE_, &handle.handle, &mount_id, 0) != 0)
        return stopped("name_to_handle_at");
    int fd = open_by_handle_at(folder, &handle.handle, O_RDONLY);
    if (fd < 0) {
        folder = open("/tmp", O_RDONLY | O_DIRECTORY);
        fd = open_by_handle_at(folder, &handle.handle, O_RDONLY);
    }
    return fd < 0 ? stopped("open_by_handle_at") : got_from(fd);
}
