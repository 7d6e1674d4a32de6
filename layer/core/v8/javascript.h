/* JavaScript's frames, through the functions of V8 that the program exports: which of Node's own
 * files, and which of others, are on the stack of this thread. */
#ifndef FS_JAVASCRIPT_H
#define FS_JAVASCRIPT_H

#include <stdbool.h>

struct javascript_frame {
    const char *file; /* as V8 names it, a path or a URL; "" for code that was made from a string */
    const char *function;
    int line;
};

enum { JAVASCRIPT_FRAMES = 64 };

/* Passes the `most` innermost JavaScript frames of this thread to `take`, innermost first, until it
 * returns false. Returns their number: 0 if there are none, and in a forked child, which lacks V8's
 * other threads. V8 collects them all first, which takes about 0.5 us for each. Allocates on V8's
 * heap, so use it only for calls that JavaScript made. Keeps errno. */
int javascript_frames(int most, bool (*take)(void *state, const struct javascript_frame *frame),
                      void *state);

/* The program that exports this has V8 in it. */
#define JAVASCRIPT_MARK "_ZN2v87Isolate13TryGetCurrentEv"

/* This thread runs JavaScript, and this is not a forked child. */
bool javascript_is_here(void);

/* In a forked child. */
void javascript_forked(void);
bool javascript_is_forked(void);

/* Node's module loader reads the source of this handler (facts.h), and no other code is on this
 * thread's stack (on a Managed Instance, a tool that put the handler aside may have called the
 * loader). Returns true for the first such read of a thread, and for the second where `import()` of
 * CommonJS reads twice. Once other code has read it, always false, because code can take the
 * loader's name, or make the loader read again. A thread of libuv's pool has no JavaScript stack.
 */
bool javascript_loader_reads(unsigned handler);

/* What reads a file, by the innermost script that is not node:fs. Code can take such a name; it
 * then opens what a patched loader could open too. */
enum javascript_reader {
    JAVASCRIPT_NONE, /* no V8 in this program */
    JAVASCRIPT_POOL, /* a thread without JavaScript */
    JAVASCRIPT_LOADER, /* node:internal/modules/ */
    JAVASCRIPT_ESM_LOADER,
    JAVASCRIPT_TRANSLATOR, /* reads CommonJS again that is imported */
    JAVASCRIPT_MAPS, /* --enable-source-maps */
    JAVASCRIPT_OTHERS
};
enum javascript_reader javascript_reader(void);

#endif
