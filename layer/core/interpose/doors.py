"""Makes the C that follows from ``doors.table``: one table, no second list.

Writes into a folder: ``real.gen.h`` (the struct of the next definitions),
``doors.gen.h`` (name, slot and address of each door), ``doors_FAMILY.gen.h``
(the doors that copy arguments or are told to refuse, and second names),
``exports.map``, ``absent.gen.h`` (what a door calls where libc lacks its
function), and ``routes.gen.h`` with ``route_rows.gen.h`` (the system calls that
go through the door of their name).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("doors.table")
HEADERS = [
    *(
        "dirent.h",
        "fcntl.h",
        "linux/openat2.h",
        "locale.h",
        "netdb.h",
        "pthread.h",
        "semaphore.h",
        "signal.h",
        "spawn.h",
        "stdarg.h",
        "stdint.h",
        "stdio.h",
    ),
    *(
        "sys/epoll.h",
        "sys/ioctl.h",
        "sys/socket.h",
        "sys/time.h",
        "sys/types.h",
        "sys/uio.h",
        "termios.h",
        "time.h",
        "utime.h",
        "wchar.h",
    ),
]

# Newer than the oldest libc, and system calls of their own: a door makes the call itself where libc
# lacks them. A system call's number stands here where that libc's headers have no name either;
# these numbers are the same on every architecture.
RAW = {
    **{
        "close_range": "436",
        "execveat": "SYS_execveat",
        "fsconfig": "431",
        "fsmount": "432",
        "fsopen": "430",
    },
    **{
        "fspick": "433",
        "memfd_create": "SYS_memfd_create",
        "mknodat": "SYS_mknodat",
        "mount_setattr": "442",
    },
    **{
        "move_mount": "429",
        "open_tree": "428",
        "openat2": "437",
        "personality": "SYS_personality",
        "pidfd_getfd": "438",
        "pidfd_send_signal": "424",
    },
    **{
        "pivot_root": "SYS_pivot_root",
        "pkey_mprotect": "SYS_pkey_mprotect",
        "process_madvise": "440",
    },
    **{"renameat2": "SYS_renameat2", "shmat": "SYS_shmat"},
}
# Return the error itself. Every other function returns -1 or NULL and sets errno.
RETURN_ERROR = {
    *(
        "_dl_make_stack_executable",
        "__nptl_change_stack_perm",
        "pidfd_spawn",
        "pidfd_spawnp",
        "posix_spawn",
    ),
    *("posix_spawn_file_actions_addopen", "posix_spawnp"),
}
RPC_SYSTEM_ERROR = "12"
RETURN_RPC_ERROR = {"callrpc", "clnt_broadcast", "pmap_rmtcall"}
RETURN_MAP_FAILED = {"mmap", "mremap"}
RETURN_ZERO = {"getrpcport", "strftime", "strftime_l", "pmap_getport", "__libc_rpc_getport"}
RETURN_ZERO |= {"pmap_set", "pmap_unset", "svc_register", "wcsftime", "wcsftime_l"}


@dataclass(frozen=True)
class Copy:
    """How an argument is copied: by which macro of copied.h.

    A null pointer cannot be read, as any other that leads nowhere. Where it passes, the call is
    libc's, for libc means something by it that needs no judgement; where the argument is optional,
    what is judged gets a null pointer.
    """

    macro: str
    null_passes: bool
    optional: bool = False
    empty: str = ""


# What the words of the sixth cell mean. What is copied:
COPIED = {
    "path": Copy("COPY_PATH", False),
    "path0": Copy("COPY_PATH", True),
    "path?": Copy("COPY_PATH", False, optional=True, empty='""'),
    "words": Copy("COPY_WORDS", False),
    "words?": Copy("COPY_WORDS", False, optional=True),
    "actions?": Copy("COPY_ACTIONS", False, optional=True),
    "address": Copy("COPY_ADDRESS", True),
    "destination": Copy("COPY_ADDRESS", True),
    "message": Copy("", False),
    "template": Copy("COPY_PATH", False),
    **dict.fromkeys(("answer", "line", "name", "option"), Copy("", False)),
    **dict.fromkeys(("question", "received", "stream", "text"), Copy("", False)),
}
# A door with one of these is written by hand, with the same macros or COPIED_BY_HAND: the caller's
# memory is written to as well (`answer`: by libc, `received`: by the kernel), the fd is one that it
# must not leave (fd_use.h), or it is no path: a `name` that is looked up, a `question` to a name
# server, the `text` of a symbol or a library, the `stream` of a connection that is inspected.
HAND = {"answer", "destination", "line", "message", "name", "option", "question", "received"}
HAND |= {"stream", "template", "text"}
# Arguments that are not copied: a value; what the door behind this one copies; what only libc or
# the kernel reads, so that no decision depends on it; what is written to; what another door judges
# `later`, when it is used; what is `fixed` but for native code, where only callers that have none
# are judged; what libc has `kept` when the door is left, and works with.
LEFT = {"-", "inner", "unread", "out", "size", "errno", "h_errno", "later", "fixed", "kept"}
# Who is asked whether a door refuses: `refusing_JUDGE` in the file of the family.
JUDGES = {"integrity", "loader", "native", "network", "resolver"}
# When a family's doors have nothing to do, where that is more than guard_ready says.
FILES = (
    "opening",
    "streams",
    "listings",
    "entries",
    "attributes",
    "databases",
    "messages",
    "variables",
)
RESOLVES = "!guard_ready() || guard_resolving_for(CALLER())"
READY = {
    **dict.fromkeys(FILES, "!files_ready()"),
    "executing": "!launch_ready()",
    "hosts": RESOLVES,
    "queries": RESOLVES,
    "spawning": "!launch_ready()",
}
# What such a door then calls, where it is not `real.SYMBOL`.
BARE = {"queries": "NEXT({symbol})"}
# Before glibc 2.34, in a library that libc or the program loads later.
LATE = {"aio_write", "lio_listio", "pthread_getcpuclockid", "pthread_kill"}
LATE |= {"sem_close", "sem_getvalue"}
# What is returned where an argument cannot be copied, if not -1 or NULL.
FAILURES = {
    **dict.fromkeys(("bind", "connect"), "destination_unreadable(a1)"),
    "catopen": "(void *)-1",
    "getdate_r": "2 /* the template cannot be opened */",
    **dict.fromkeys(("_dl_make_stack_executable", "__nptl_change_stack_perm"), "EACCES"),
    **dict.fromkeys(("pthread_getcpuclockid", "pthread_kill"), "EACCES"),
    "shmat": "(void *)-1",
    **dict.fromkeys(("dgettext", "dcgettext"), "(char *)(uintptr_t)a2"),
    **dict.fromkeys(("dngettext", "dcngettext"), "(char *)(uintptr_t)(a4 == 1 ? a2 : a3)"),
}


@dataclass(frozen=True)
class Door:
    """A row of the table."""

    symbol: str
    family: str
    request: str
    of: str | None
    prototype: str
    arguments: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    judged: str = ""

    @property
    def result(self) -> str:
        """The type that it returns."""
        return self.prototype.partition("(")[0].rstrip()

    @property
    def parameters(self) -> list[str]:
        """The types of its parameters; "..." is one."""
        inside = self.prototype.partition("(")[2].rpartition(")")[0]
        parts, depth = [""], 0
        for character in inside:
            depth += (character == "(") - (character == ")")
            if character == "," and depth == 0:
                parts.append("")
            else:
                parts[-1] += character
        found = [part.strip() for part in parts]
        return [] if found == ["void"] else found

    @property
    def copies(self) -> bool:
        """Whether it copies an argument."""
        return any(word in COPIED for word in self.arguments)

    @property
    def generated(self) -> bool:
        """Whether doors.py writes it. One with "..." is written by hand, with the same macros."""
        by_hand = "..." in self.parameters or any(word in HAND for word in self.arguments)
        return self.of is None and (self.judged != "" or (self.copies and not by_hand))

    @property
    def failure(self) -> str:
        """What it returns where it refuses, or cannot read an argument; "" for void."""
        if self.symbol in FAILURES:
            return FAILURES[self.symbol]
        if self.symbol in RETURN_RPC_ERROR:
            return RPC_SYSTEM_ERROR
        if self.symbol in RETURN_ZERO:
            return "0"
        if self.result.endswith("*"):
            return "NULL"
        return {"void": "(void)0", "locale_t": "(locale_t)0"}.get(self.result, "-1")

    def declare(self, name: str) -> str:
        """The C declaration of a pointer called ``name`` to such a function."""
        result, _, parameters = self.prototype.partition("(")
        return f"{result.rstrip()} (*{name})({parameters}"

    @property
    def stand_in(self) -> str:
        """The function of ``absent.c`` that a door calls where libc lacks its own."""
        result = self.prototype.partition("(")[0].strip()
        if RAW.get(self.symbol):
            return f"raw_{self.symbol}"
        if self.symbol in RETURN_ERROR:
            return "absent_error"
        if self.symbol in RETURN_RPC_ERROR:
            return "absent_rpc"
        if self.symbol == "getaddrinfo_a":
            return "absent_lookup"
        pointer = result.endswith("*") or result == "locale_t"
        if (pointer and self.symbol not in RETURN_MAP_FAILED) or self.symbol in RETURN_ZERO:
            return "absent_null"
        return "absent_minus"


def read(table: Path = TABLE) -> list[Door]:
    """The rows of ``table``, in order."""
    doors = []
    for number, line in enumerate(table.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if not 5 <= len(cells) <= 8:
            raise SystemExit(
                f"{table.name}:{number}: five to eight cells are needed, {len(cells)} found"
            )
        words, routed, judged = ("" if cell == "-" else cell for cell in (*cells[5:], *"---")[:3])
        door = Door(
            cells[0],
            cells[1],
            cells[2],
            None if cells[3] == "-" else cells[3],
            cells[4],
            tuple(words.split()),
            tuple(routed.split()),
            judged,
        )
        words = door.arguments
        if words and len(words) != len(door.parameters):
            raise SystemExit(
                f"{table.name}:{number}: {len(door.parameters)} arguments, {len(words)} words for"
                " them"
            )
        unknown = set(words) - COPIED.keys() - LEFT
        if unknown:
            raise SystemExit(f"{table.name}:{number}: unknown words {sorted(unknown)}")
        doors.append(door)
    return doors


def named(kind: str, name: str) -> str:
    """A parameter of that type and name."""
    if "(*)" in kind:
        return kind.replace("(*)", f"(*{name})", 1)
    return f"{kind}{name}" if kind.endswith("*") else f"{kind} {name}"


def write_door(door: Door) -> str:
    """The door itself: copies its arguments, and hands the copies to ``judged_SYMBOL``."""
    names = [f"a{index}" for index in range(1, len(door.parameters) + 1)]
    signature = ", ".join(
        named(kind, name) for kind, name in zip(door.parameters, names, strict=True)
    )
    target = ""
    if door.judged.startswith("target: "):
        target = write_target(door, names)
    elif door.judged.startswith("same as: "):
        return write_alias(door, door.judged.partition(": ")[2], f"real.{door.symbol}")
    elif door.judged not in ("", "as given") and not door.judged.startswith("copied: "):
        return write_judged(door, names, signature or "void")
    bare = f"bare_{door.symbol}({', '.join(names)})"
    passes = [READY.get(door.family, "!guard_ready()")]
    copying, judged, taken = [], [], list(names)
    words = door.arguments or ("-",) * len(names)
    for at, (name, word) in enumerate(zip(names, words, strict=True)):
        if word == "size" and not door.judged:  # of the argument before
            continue
        # A null `name` is libc's to judge; a null domain behind it stands for none.
        null_passes = word == "name" and "name" not in words[:at]
        if null_passes or (word in COPIED and COPIED[word].null_passes):
            passes.append(f"!{name}")
        if word not in COPIED or not COPIED[word].macro or door.judged == "as given":
            judged.append(name)
            continue
        copy = f"copy_{name}"
        optional, empty = COPIED[word].optional, COPIED[word].empty
        more = ""
        if word == "address":
            more = f", {names[at + 1]}"
            passes.append(f"{names[at + 1]} > COPIED_ADDRESS")
        copying.append(
            f"    {COPIED[word].macro}({copy},"
            f" {name}{f' ? {name} : {empty}' if empty else ''}{more});\n"
        )
        says = (
            f"{copy}.error"
            if door.symbol in RETURN_ERROR
            else f"errno = {copy}.error, {door.failure}"
        )
        copying.append(f"    if ({copy}.error) return {says};\n")
        judged.append(f"{name} ? &{copy} : NULL" if optional else f"&{copy}")
        own = f"{copy}.{'list' if word.startswith('words') else 'text'}"
        taken[at] = f"{name} ? {own} : NULL" if optional else own
    head = f"{door.result} door_{door.symbol}({signature or 'void'})"
    end = f"    return judged_{door.symbol}({', '.join([*judged, 'CALLER()'])});\n"
    if door.judged.startswith("copied: "):
        refused = with_caller(door.judged.partition(": ")[2], judged)
        call = f"real.{door.symbol}({', '.join(taken)})"
        end = f"    if ({refused}) return {door.failure};\n"
        end += f"    {'' if door.result == 'void' else 'return '}{call};\n"
    libc = BARE.get(door.family, "real.{symbol}").format(symbol=door.symbol)
    return (
        f"{target}#ifndef bare_{door.symbol}\n"
        f"#define bare_{door.symbol} {libc}\n#endif\n"
        f'DOOR {head} __asm__("{door.symbol}");\n'
        f"DOOR {head}\n{{\n"
        f"    if ({' || '.join(passes)}) return {bare};\n"
        f"{''.join(copying)}"
        f"{end}}}\n"
    )


def write_target(door: Door, names: list[str]) -> str:
    """What is behind a door that acts on the object that its path leads to: TARGET of
    attributes.c."""
    links, words, verb = door.judged.partition(": ")[2].split(", ")
    flags = " | ".join(words.split())
    at = next(at for at, word in enumerate(door.arguments) if word in COPIED)
    kinds = list(door.parameters)
    kinds[at] = "const struct path *"
    signature = ", ".join(named(kind, name) for kind, name in zip(kinds, names, strict=True))
    given = [*names]
    given[at] = "name"
    folder = "AT_FDCWD"
    if at > 0:
        folder, given[at - 1] = names[at - 1], "dir"
    follows = {
        "follow": "true",
        "nofollow": "false",
        "by flags": f"!({names[-1]} & AT_SYMLINK_NOFOLLOW)",
    }
    return (
        f"static {door.result} judged_{door.symbol}({signature}, const void *caller)\n{{\n"
        f'    TARGET({folder}, {names[at]}, {follows[links]}, {flags}, "{verb}",'
        f" real.{door.symbol}({', '.join(given)}));\n}}\n"
    )


def write_judged(door: Door, names: list[str], signature: str) -> str:
    """A door that makes libc's own call, unless a function refuses; or after a function of its
    family; or while its fd is held."""
    form, colon, rest = door.judged.partition(": ")
    place = rest.removeprefix("$")
    call = f"real.{door.symbol}({', '.join(names)})"
    end = f"{'' if door.result == 'void' else 'return '}{call}"
    first = ""
    if form == "passes":
        pass
    elif not colon:
        first = f"    {form}(CALLER());\n"
    elif form in JUDGES:
        first = write_refusal(door, names, form, rest)
    elif form in ("early", "refuses"):
        # An early door may be called before anything has started the guard.
        ready = "" if form == "early" else "guard_ready() && "
        first = f"    if ({ready}{with_caller(rest, names)}) return {door.failure};\n"
        if form == "early":
            first += f"    if (UNLIKELY(!real.{door.symbol})) guard_start();\n"
    elif form == "using":
        fd = names[int(place) - 1]
        end = f"return USING_FD({fd}, judged_{door.symbol}({', '.join([*names, 'CALLER()'])}))"
    elif form == "unseen":
        fd = names[int(place) - 1]
        void = door.result == "void"
        sends = f"sends_unseen({fd}, CALLER()) ? -1 : {f'({call}, 0)' if void else call}"
        end = f"{'(void)' if void else 'return '}USING_FD({fd}, {sends})"
    else:
        raise SystemExit(f"{door.symbol}: no judge is called {form}")
    if door.symbol in LATE:
        first += f"    (void)SYMBOLS_HAVE({door.symbol});\n"
    head = f"{door.result} door_{door.symbol}({signature})"
    return f'DOOR {head} __asm__("{door.symbol}");\nDOOR {head}\n{{\n{first}    {end};\n}}\n'


def with_caller(call: str, names: list[str]) -> str:
    """A call in a row, with the door's arguments in place of $1 and so on, and its caller last."""
    for at, name in enumerate(names, 1):
        call = call.replace(f"${at}", name)
    function, _, arguments = call.removesuffix(")").partition("(")
    return f"{function}({f'{arguments}, ' if arguments else ''}CALLER())"


def write_refusal(door: Door, names: list[str], judge: str, verb: str) -> str:
    """How a door begins that refuses if the judge says so."""
    given = dict(zip(door.arguments, names, strict=False))
    verb, dollar, place = verb.partition(" $")
    text = names[int(place) - 1] if dollar else f'"{door.symbol}"'
    told = "".join(
        f"        *{given[word]} = {value};\n"
        for word, value in (("errno", "EACCES"), ("h_errno", "NO_RECOVERY"))
        if word in given
    )
    found = (
        f'    if (guard_ready() && refusing_{judge}("{verb}", {text}, CALLER())) {{\n'
        f"{told}        return {door.failure};\n    }}\n"
    )
    if judge == "resolver":  # in a library that libc loads at the first lookup
        found += f"    (void)SYMBOLS_HAVE({door.symbol});\n"
    return found


def write_alias(door: Door, of: str, like: str) -> str:
    """Another name of the door `of`."""
    return (
        f"extern __typeof__(*{like}) door_{door.symbol}"
        f' __asm__("{door.symbol}") __attribute__((alias("{of}"),'
        ' visibility("default")));\n'
    )


def write_routes(folder: Path, doors: list[Door]) -> None:
    """What syscall() does with the numbers of the doors that say so: see syscalls.c."""
    functions, rows = [], []
    for door in doors:
        if "number" not in door.number:
            continue
        old = "old" in door.number  # of x86_64 alone
        given = [word for word in door.number if word.isdigit()]
        kinds = [kind if kind != "..." else "long" for kind in door.parameters]
        arguments = ", ".join(
            f"({kind})call->{letter}" for kind, letter in zip(kinds, "abcdef", strict=False)
        )
        call = f"(long)callee_{door.symbol}({arguments})"
        macro = "ROUTE_NATIVE" if "native" in door.number else "ROUTE"
        function = f"{macro}({door.symbol}, {call})\n"
        row = f"    [{given[0] if given else f'SYS_{door.symbol}'}] = route_{door.symbol},\n"
        functions.append(f"#ifdef SYS_open\n{function}#endif\n" if old else function)
        rows.append(f"#ifdef SYS_open\n{row}#endif\n" if old else row)
    head = "/* Made by doors.py from doors.table. */\n"
    (folder / "routes.gen.h").write_text(head + "".join(functions))
    (folder / "route_rows.gen.h").write_text(head + "".join(rows))


def write(folder: Path) -> None:
    """Write every generated file into ``folder``."""
    doors = read()
    folder.mkdir(parents=True, exist_ok=True)
    head = "/* Made by doors.py from doors.table. */\n"
    own = [door for door in doors if door.of is None]
    real = [head, "#ifndef FS_REAL_GEN_H\n#define FS_REAL_GEN_H\n"]
    real += [f"#include <{header}>\n" for header in HEADERS]
    real.append("struct fs_real {\n")
    real += [f"    {door.declare(door.symbol)};\n" for door in own]
    real.append("};\nextern struct fs_real real;\n#endif\n")
    (folder / "real.gen.h").write_text("".join(real))
    rows = [head]
    for door in doors:
        slot = door.of or door.symbol
        rows.append(f'FS_DOOR({door.symbol}, {slot}, "{door.family}", {int(door.of is None)})\n')
    (folder / "doors.gen.h").write_text("".join(rows))
    for family in sorted({door.family for door in doors}):
        lines = [head]
        lines += [write_door(door) for door in doors if door.family == family and door.generated]
        for door in doors:
            if door.family == family and door.of is not None:
                lines.append(write_alias(door, door.of, f"real.{door.of}"))
        (folder / f"doors_{family}.gen.h").write_text("".join(lines))
    write_routes(folder, doors)
    numbers = {door.symbol: RAW[door.symbol] for door in own if RAW.get(door.symbol)}
    absent = [head, *(f"RAW({symbol}, {number})\n" for symbol, number in numbers.items())]
    absent.append("static void *stand_in(unsigned door)\n{\n    switch (door) {\n")
    kinds = sorted({door.stand_in for door in own} - {"absent_minus"})
    for kind in kinds:
        absent += [f"    case DOOR_INDEX_{door.symbol}:\n" for door in own if door.stand_in == kind]
        absent.append(f"        return (void *){kind};\n")
    absent.append("    default:\n        return (void *)absent_minus;\n    }\n}\n")
    (folder / "absent.gen.h").write_text("".join(absent))
    names = "".join(f"        {door.symbol};\n" for door in doors)
    (folder / "exports.map").write_text(f"{{\n    global:\n{names}    local: *;\n}};\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
