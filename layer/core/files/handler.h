/* The handler's source, inside the file rules. */
#ifndef FS_HANDLER_H
#define FS_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* At start: reads which modules are handlers (guard/facts.h). */
void handler_read_names(void);
/* _HANDLER or a variable that stands in for it is set. */
bool handler_known(void);
/* Some source is protected now. */
bool handler_guards(void);
/* Writes the sealed sources for a child: "DEV.INO,DEV.INO", "" if none is sealed. Returns false if
 * they do not fit. */
bool handler_describe(char *out, size_t size);
void handler_restore(const char *text);
/* This object is one of the sealed handler's sources. */
bool handler_is_source(const struct stat *status);
/* The index of the handler (facts.h) whose source this is, or -1. */
int handler_source(const struct stat *status);
/* An object is about to be renamed, or two are about to be exchanged: they may be the handler's
 * sources. */
void handler_name_moves(int from_dir, const char *from, int to_dir, const char *to);
/* A runtime without an interpreter ring (Node): the first reading open of a handler seals it.
 * `plain` is the object's path where that is known, else NULL. */
extern bool handler_watch;
void handler_opened(int fd, int flags, const char *plain);

/* Handler source: called by the interpreter ring at the audit event `exec` of the handler's code,
 * before its first line. */
void handler_seal(const char *source_path);
/* Call it before handler_seal: protects the compiled form below `prefix`
 * (sys.pycache_prefix). */
void handler_seal_compiled(const char *prefix, const char *source_path);
bool handler_is_sealed(void);
/* `path` is that of a module that one of the handlers (guard/facts.h) names. */
bool handler_is_module(const char *path);

#endif
