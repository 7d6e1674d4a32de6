/* V8's flags at run time: v8.setFlagsFromString can take away the checks that keep JavaScript
 * inside its own memory.
 *
 * Node calls a function of its own program, which no door of libc's can stand in front of. So its
 * first bytes, before the program's first line, become a jump to the door here. What it did is done
 * by V8's function of the same name that takes text without a length; where that one calls the
 * first, by the one that takes words. */
#include "memory/engine.h"

#include <string.h>
#include <sys/mman.h>

#include "guard/guard.h"
#include "memory/native.h"
#include "libc/symbols.h"
#include "support/sys.h"

enum { WORDS = 64, TEXT = 4096 };

typedef void set_from_words(int *count, char **words, bool remove);
typedef void set_from_text(const char *text);
static set_from_words *set_words;
static set_from_text *set_text;
static __thread bool inside __attribute__((tls_model("initial-exec")));

/* ---- which flags ---- */

/* What programs set, and what no check depends on: sizes, tracing, when to compile. "-" and "_" are
 * the same. */
static bool is_harmless(const char *flag)
{
    static const char *const names[] = {
        "expose-gc",
        "gc-global",
        "gc-interval",
        "heap-growing-percent",
        "initial-heap-size",
        "initial-old-space-size",
        "lazy",
        "flush-bytecode",
        "max-heap-size",
        "max-lazy",
        "max-old-space-size",
        "max-semi-space-size",
        "min-semi-space-size",
        "semi-space-growth-factor",
        "optimize-for-size",
        "stack-size",
        "stack-trace-limit",
        "trace-gc",
        "trace-gc-verbose",
        "trace-gc-nvp",
        "trace-opt",
        "trace-deopt",
        "opt",
        "concurrent-recompilation",
        "sparkplug",
        "always-sparkplug",
        "maglev",
        "turbofan",
        "single-threaded",
        "single-threaded-gc",
        "jitless",
        "abort-on-uncaught-exception",
        "use-strict",
        "random-seed",
        "hash-seed",
        "huge-max-old-generation-size",
        "freeze-flags-after-init",
        "rehash-snapshot",
    };
    char name[64];
    size_t size = 0;
    flag += strspn(flag, "-");
    for (; flag[size] && flag[size] != '='; size++) {
        if (size + 1 == sizeof name) return false;
        name[size] = flag[size] == '_' ? '-' : flag[size];
    }
    name[size] = '\0';
    const char *plain = strncmp(name, "no-", 3) == 0  ? name + 3
                        : strncmp(name, "no", 2) == 0 ? name + 2
                                                      : name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0 || strcmp(names[i], plain) == 0) return true;
    return false;
}

/* ---- the door ---- */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* v8::V8::SetFlagsFromString(const char *, size_t): a NUL ends the text, in V8's parser too, and
 * its callers have one. */
static void set_flags(const char *text, size_t size)
{
    char copy[TEXT], name[] = "node", *words[WORDS + 1] = {name};
    int count = 1;
    bool judge = guard_ready() && !guard_ignores(FS_NATIVE) && !inside;
    bool whole = size < sizeof copy;
    if (!whole) size = sizeof copy - 1;
    memcpy(copy, text, size);
    copy[size] = '\0';
    for (char *at = copy; *at;) {
        while (is_space(*at)) *at++ = '\0';
        if (!*at) break;
        if (count == WORDS) {
            whole = false;
            break;
        }
        words[count++] = at;
        while (*at && !is_space(*at)) at++;
    }
    /* A word that is no flag is the value of the one before it. */
    const char *bad = whole ? NULL : "more than 4,096 bytes of flags";
    for (int i = 1; i < count && !bad; i++)
        if (words[i][0] == '-' && !is_harmless(words[i])) bad = words[i];
    if (bad && judge && native_refused("set V8's flag", bad, __builtin_return_address(0))) return;
    if (inside) {
        set_words(&count, words, false);
        return;
    }
    inside = true;
    set_text(text);
    inside = false;
}

/* ---- putting it there ---- */

#ifdef __x86_64__
enum { JUMP = 12 };
static void write_jump(unsigned char *code, const void *target)
{
    code[0] = 0x48; /* movabs $target, %rax */
    code[1] = 0xb8;
    memcpy(code + 2, &target, sizeof target);
    code[10] = 0xff; /* jmp *%rax */
    code[11] = 0xe0;
}
static void flush(const void *code) { (void)code; }
#else
enum { JUMP = 16 };
static void write_jump(unsigned char *code, const void *target)
{
    static const uint32_t words[] = {0x58000050 /* ldr x16, .+8 */, 0xd61f0200 /* br x16 */};
    memcpy(code, words, sizeof words);
    memcpy(code + 8, &target, sizeof target);
}
static void flush(const void *code)
{
    __asm__ volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb"
                     :
                     : "r"(code)
                     : "memory");
}
#endif

void engine_start(void)
{
    /* Compilers that optimise for speed align functions to 16 bytes and pad the gap, so that the
     * jump fits. */
    unsigned char *code = symbols_of_program("_ZN2v82V818SetFlagsFromStringEPKcm");
    set_text = (set_from_text *)symbols_of_program("_ZN2v82V818SetFlagsFromStringEPKc");
    set_words = (set_from_words *)symbols_of_program("_ZN2v82V823SetFlagsFromCommandLineEPiPPcb");
    if (!code || !set_text || !set_words || (uintptr_t)code % 16 != 0 || guard_ignores(FS_NATIVE))
        return;
    uintptr_t page = (uintptr_t)code & ~4095ul;
    if (sys_call(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) return;
    write_jump(code, (const void *)set_flags);
    flush(code);
    sys_call(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}
