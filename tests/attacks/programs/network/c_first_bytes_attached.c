// class: network
// rule: outbound_connectivity
// policy: shared.yaml
// success: a C program makes a connection the file of a stream that it has, by a function of libc
//   that is no fdopen
// proof: word
// needs: resolver
#include "allowed.h"

extern int _IO_file_close_it(FILE *);
extern FILE *_IO_file_attach(FILE *, int);

int main(void)
{
    int listener = allowed_listener(), fd = allowed_connection();
    FILE *stream = fopen("/dev/null", "w");
    if (!stream || _IO_file_close_it(stream) < 0 || !_IO_file_attach(stream, fd))
        return stopped("_IO_file_attach");
    fputs(SECRET_, stream);
    fflush(stream);
    return allowed_heard(listener, 1000 * patience(1)) ? reached() : stopped("nothing was heard");
}
