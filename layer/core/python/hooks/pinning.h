/* An interpreter's own parts, noted before the function's code runs. */
#ifndef FS_PINNING_H
#define FS_PINNING_H

/* At every import while this interpreter has no pins. They are taken at the import of encodings,
 * with which the making of an interpreter ends: before it there is only what is built in. */
void pinning_at_import(const char *importing);

#endif
