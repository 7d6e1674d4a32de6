"""How to call each door that copies an argument in a race: one row for each argument. No door is
missing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One argument of one door.

    Attributes:
        arguments: the arguments of the call, in C. ``RACED`` is the memory that changes.
        there: what the raced memory holds. It determines what lies at the hostile place before the
            call:

            - ``file``, ``folder``, ``link``, ``catalogue``: the path of such a file
            - ``none``: a path where nothing exists. Only what exists there afterwards counts. For
              the other values, the call's result counts too
            - ``mode``: the place is a file, and the mode in which it is opened changes
            - ``blind``: a file, but neither its state nor the result shows what libc opened
            - ``program``: the paths of an allowed program and of a forbidden one
            - ``variable``: an environment variable that the loader obeys
            - ``inet``: a local address where nothing listens, and one outside
            - ``unix``: the path of a socket
            - ``library``: the path of a library; ``named``: a name that has no folder at first
            - ``symbol``: a name that no library exports, and the name of a door
            - ``rights``: control messages with an fd; the received fd is a connection to the
              outside
            - ``stream``: a request to a proxy
            - ``listed``: a wildcard; ``command``: a command
            - ``group``, ``request``: a multicast group to join
            - ``limit``: a memory limit
            - with a name server: ``query``: a name; ``reverse``: an address; ``question``: a
              packet; ``answer``: the address in an answer
        child: whether the door is called in a child, because the call replaces the program.
        succeeds: a C expression that is true if the result ``R`` is a success; "" to decide by the
            result's type.
    """

    arguments: str
    there: str
    succeeds: str = ""
    child: bool = False


def made(arguments: str, succeeds: str = "") -> Case:
    return Case(arguments, "none", succeeds)


def file(arguments: str, succeeds: str = "") -> Case:
    return Case(arguments, "file", succeeds)


def folder(arguments: str, succeeds: str = "") -> Case:
    return Case(arguments, "folder", succeeds)


def mode(arguments: str, succeeds: str = "") -> Case:
    return Case(arguments, "mode", succeeds)


def program(arguments: str, succeeds: str = "", *, child: bool = True) -> Case:
    return Case(arguments, "program", succeeds, child)


def variable(arguments: str, succeeds: str = "", *, child: bool = True) -> Case:
    return Case(arguments, "variable", succeeds, child)


def spawned(path: str, environment: str, actions: str = "NULL") -> str:
    return (
        f'&spawned, {path}, {actions}, NULL, (char *[]){{"x", (char *)made, NULL}}, {environment}'
    )


def inet(arguments: str) -> Case:
    return Case(arguments, "inet", "0")


def blind(arguments: str) -> Case:
    return Case(arguments, "blind", "0")


FD, STREAM, FOLDER = "closes(R)", "closes_stream(R)", "closes_folder(R)"

CASES: dict[str, list[Case]] = {
    "open": [
        made("RACED, O_WRONLY | O_CREAT, 0600", FD),
        file("RACED, O_RDONLY", FD),
        folder("RACED, O_TMPFILE | O_RDWR, 0600", FD),
    ],
    "__open_2": [file("RACED, O_RDONLY", FD)],
    "openat": [
        made("AT_FDCWD, RACED, O_WRONLY | O_CREAT, 0600", FD),
        file("AT_FDCWD, RACED, O_RDONLY", FD),
    ],
    "__openat_2": [file("AT_FDCWD, RACED, O_RDONLY", FD)],
    "creat": [made("RACED, 0600", FD)],
    "fopen": [made('RACED, "w"', STREAM), file('RACED, "r"', STREAM), mode("place, RACED", STREAM)],
    "freopen": [
        made('RACED, "w", a_stream()', STREAM),
        file('RACED, "r", a_stream()', STREAM),
        mode("place, RACED, a_stream()", STREAM),
    ],
    "_IO_file_fopen": [
        made('a_closed_stream(), RACED, "w", 0'),
        file('a_closed_stream(), RACED, "r", 0'),
        mode("a_closed_stream(), place, RACED, 0"),
    ],
    "_IO_file_open": [file("a_closed_stream(), RACED, O_RDONLY, 0600, 8, 0")],
    "setmntent": [file('RACED, "r"', STREAM), mode("place, RACED", STREAM)],
    "__nss_files_fopen": [file("RACED", STREAM)],
    "catopen": [Case("RACED, 0", "catalogue", "R != (void *)-1")],
    "__open_catalog": [Case("RACED, NULL, NULL, buffer", "catalogue")],
    "bindtextdomain": [
        folder('"race", RACED', "R && !strcmp(R, HOSTILE)"),
        blind('RACED, "/usr/share"'),
    ],
    "textdomain": [folder("RACED", 'R && strstr(R, "/tmp/")')],
    **{
        name: [blind(f"RACED, {rest}")]
        for name, rest in (
            ("dgettext", '"x"'),
            ("dcgettext", '"x", LC_MESSAGES'),
            ("dngettext", '"x", "y", 1'),
            ("dcngettext", '"x", "y", 1, LC_MESSAGES'),
        )
    },
    "utmpname": [
        file(
            "RACED",
            '(setutxent(), pututxline(&(struct utmpx){.ut_type = USER_PROCESS, .ut_id = "r"}) !='
            " NULL) && 0",
        )
    ],
    "updwtmp": [file("RACED, buffer")],
    "updwtmpx": [file("RACED, buffer")],
    "svcunix_create": [made("-1, 0, 0, RACED")],
    "mkstemp": [made("RACED", FD)],
    "mkostemp": [made("RACED, 0", FD)],
    "mkstemps": [made("RACED, 0", FD)],
    "mkostemps": [made("RACED, 0, 0", FD)],
    "mkdtemp": [made("RACED")],
    "opendir": [folder("RACED", FOLDER)],
    "scandir": [folder("RACED, (struct dirent ***)buffer, NULL, NULL")],
    "scandirat": [folder("AT_FDCWD, RACED, (struct dirent ***)buffer, NULL, NULL")],
    "ftw": [folder("RACED, (void *)stops, 8", "R == 7")],
    "nftw": [folder("RACED, (void *)stops, 8, 0", "R == 7")],
    "fts_open": [folder("(char *[]){RACED, NULL}, 0x10, NULL", "walks(R)")],
    "inotify_add_watch": [folder("a_watch(), RACED, 2")],
    "fanotify_mark": [folder("a_marker(), 1, 2, AT_FDCWD, RACED")],
    "mkdir": [made("RACED, 0700")],
    "mkdirat": [made("AT_FDCWD, RACED, 0700")],
    "rmdir": [folder("RACED")],
    "unlink": [file("RACED")],
    "unlinkat": [file("AT_FDCWD, RACED, 0")],
    "remove": [file("RACED")],
    "rename": [file("RACED, made"), made("source, RACED")],
    "renameat": [
        file("AT_FDCWD, RACED, AT_FDCWD, made"),
        made("AT_FDCWD, source, AT_FDCWD, RACED"),
    ],
    "renameat2": [
        file("AT_FDCWD, RACED, AT_FDCWD, made, 0"),
        made("AT_FDCWD, source, AT_FDCWD, RACED, 0"),
    ],
    "link": [file("RACED, made"), made("source, RACED")],
    "linkat": [
        file("AT_FDCWD, RACED, AT_FDCWD, made, AT_SYMLINK_FOLLOW"),
        made("AT_FDCWD, source, AT_FDCWD, RACED, 0"),
    ],
    "symlink": [made('"/dev/null", RACED')],
    "symlinkat": [made('"/dev/null", AT_FDCWD, RACED')],
    "readlink": [Case("RACED, buffer, sizeof buffer", "link")],
    "readlinkat": [Case("AT_FDCWD, RACED, buffer, sizeof buffer", "link")],
    "__readlink_chk": [Case("RACED, buffer, 64, sizeof buffer", "link")],
    "__readlinkat_chk": [Case("AT_FDCWD, RACED, buffer, 64, sizeof buffer", "link")],
    "mknod": [made("RACED, S_IFREG | 0600, 0")],
    "mknodat": [made("AT_FDCWD, RACED, S_IFREG | 0600, 0")],
    "__xmknod": [made("0, RACED, S_IFREG | 0600, &(dev_t){0}")],
    "__xmknodat": [made("0, AT_FDCWD, RACED, S_IFREG | 0600, &(dev_t){0}")],
    "mkfifo": [made("RACED, 0600")],
    "mkfifoat": [made("AT_FDCWD, RACED, 0600")],
    "truncate": [file("RACED, 1")],
    "chmod": [file("RACED, 0640")],
    "lchmod": [file("RACED, 0640")],
    "fchmodat": [file("AT_FDCWD, RACED, 0640, 0")],
    "chown": [file("RACED, getuid(), getgid()")],
    "lchown": [file("RACED, getuid(), getgid()")],
    "fchownat": [file("AT_FDCWD, RACED, getuid(), getgid(), AT_SYMLINK_NOFOLLOW")],
    "utime": [file("RACED, NULL")],
    "utimes": [file("RACED, times")],
    "lutimes": [file("RACED, times")],
    "futimesat": [file("AT_FDCWD, RACED, times")],
    "utimensat": [file("AT_FDCWD, RACED, NULL, AT_SYMLINK_NOFOLLOW")],
    "setxattr": [file('RACED, "user.race", "x", 1, 0')],
    "lsetxattr": [file('RACED, "user.race", "x", 1, 0')],
    "getxattr": [file('RACED, "user.there", buffer, sizeof buffer')],
    "lgetxattr": [file('RACED, "user.there", buffer, sizeof buffer')],
    "listxattr": [file("RACED, buffer, sizeof buffer")],
    "llistxattr": [file("RACED, buffer, sizeof buffer")],
    "removexattr": [file('RACED, "user.there"')],
    "lremovexattr": [file('RACED, "user.there"')],
    "setlocale": [blind("LC_TIME, RACED")],
    "newlocale": [blind("LC_TIME_MASK, RACED, NULL")],
}

WORDS, PLAIN, RACED_VARIABLE = (
    '(char *[]){"x", (char *)made, NULL}',
    "environ",
    "(char *[]){RACED, NULL}",
)
SPAWNS = [
    program(spawned("RACED", PLAIN), "waits(R)", child=False),
    variable(spawned('"/usr/bin/true"', RACED_VARIABLE), "waits(R)", child=False),
    made(spawned('"/usr/bin/true"', PLAIN, "opening(RACED)"), "waits(R)"),
]
STREAM_SOCKET, DATAGRAMS = "a_socket(AF_INET, SOCK_STREAM)", "a_socket(AF_INET, SOCK_DGRAM)"
CASES |= {
    "connect": [inet(f"{STREAM_SOCKET}, RACED, sizeof(struct sockaddr_in)")],
    "bind": [
        Case("a_socket(AF_UNIX, SOCK_STREAM), RACED, sizeof(struct sockaddr_un)", "unix", "0")
    ],
    "sendto": [inet(f'{DATAGRAMS}, "x", 1, 0, RACED, sizeof(struct sockaddr_in)')],
    "sendmsg": [inet(f"{DATAGRAMS}, message_to(RACED), 0")],
    "sendmmsg": [inet(f"{DATAGRAMS}, (struct mmsghdr[]){{{{*message_to(RACED)}}}}, 1, 0")],
    "execve": [
        program(f"RACED, {WORDS}, {PLAIN}"),
        variable(f'"/usr/bin/true", {WORDS}, {RACED_VARIABLE}'),
    ],
    "execv": [program(f"RACED, {WORDS}")],
    "execvp": [program(f"RACED, {WORDS}")],
    "execvpe": [
        program(f"RACED, {WORDS}, {PLAIN}"),
        variable(f'"true", {WORDS}, {RACED_VARIABLE}'),
    ],
    "execl": [program('RACED, "x", made, NULL')],
    "execlp": [program('RACED, "x", made, NULL')],
    "execle": [
        program('RACED, "x", made, NULL, environ'),
        variable(f'"/usr/bin/true", "x", NULL, {RACED_VARIABLE}'),
    ],
    "fexecve": [variable(f'open("/usr/bin/true", O_RDONLY), {WORDS}, {RACED_VARIABLE}')],
    "execveat": [
        program(f"AT_FDCWD, RACED, {WORDS}, {PLAIN}, 0"),
        variable(f'AT_FDCWD, "/usr/bin/true", {WORDS}, {RACED_VARIABLE}, 0'),
    ],
    **dict.fromkeys(("posix_spawn", "posix_spawnp", "pidfd_spawn", "pidfd_spawnp"), SPAWNS),
    "popen": [blind('"exit 0", RACED')],
    "wordexp": [
        Case("RACED, &words, 0", "listed", "lists(R)"),
        Case("RACED, &words, 0", "command", "lists(R)"),
    ],
}

# Names, and bytes on a connection. The questions and bytes that arrive show what passed.
TO_HOST = "&a_host, host_memory, sizeof host_memory, &found_host, &host_error"
TO_NET = "&a_net, host_memory, sizeof host_memory, &found_net, &host_error"
NAME_AND_STATE = (("", ""), ("n", "a_resolver(), "))


def query(arguments: str, succeeds: str = "0") -> Case:
    return Case(arguments, "query", succeeds)


def reverse(arguments: str) -> Case:
    return Case(arguments, "reverse", "0")


def stream(arguments: str) -> Case:
    return Case(arguments, "stream", "0")


for underscores in ("", "__"):
    for letter, state in NAME_AND_STATE:
        begin = f"{underscores}res_{letter}"
        answer = f'{state}"aaaaaa.wide.example", 1, 1, THE_ANSWER, 512'
        CASES |= {
            f"{begin}query": [
                query(f"{state}RACED, 1, 1, buffer, 512"),
                Case(answer, "answer", "reaches()"),
            ],
            f"{begin}search": [
                query(f"{state}RACED, 1, 1, buffer, 512"),
                Case(answer, "answer", "reaches()"),
            ],
            f"{begin}querydomain": [
                query(f'{state}RACED, "", 1, 1, buffer, 512'),
                query(f'{state}"a", RACED, 1, 1, buffer, 512'),
            ],
            f"{begin}send": [Case(f"{state}RACED, RACED_SIZE, buffer, 512", "question", "0")],
        }
IP = "(char *)RACED + 4, 4, AF_INET"
CASES |= {
    "getaddrinfo": [query("RACED, NULL, NULL, &found_addresses", "frees(R)")],
    "getaddrinfo_a": [query("0, a_list(RACED), 1, NULL")],
    "gethostbyname": [query("RACED")],
    "gethostbyname2": [query("RACED, AF_INET")],
    "gethostbyname_r": [query(f"RACED, {TO_HOST}")],
    "gethostbyname2_r": [query(f"RACED, AF_INET, {TO_HOST}")],
    "getnetbyname": [query("RACED")],
    "getnetbyname_r": [query(f"RACED, {TO_NET}")],
    "res_gethostbyname": [query("RACED")],
    "res_gethostbyname2": [query("RACED, AF_INET")],
    "getnameinfo": [reverse("RACED, 16, buffer, 256, NULL, 0, 0")],
    "gethostbyaddr": [reverse(IP)],
    "gethostbyaddr_r": [reverse(f"{IP}, {TO_HOST}")],
    "res_gethostbyaddr": [reverse(IP)],
    "send": [
        stream("a_connection(), RACED, RACED_SIZE, 0"),
        Case("a_question_socket(), RACED, RACED_SIZE, 0", "question", "0"),
    ],
    "write": [
        stream("a_connection(), RACED, RACED_SIZE"),
        Case("a_question_socket(), RACED, RACED_SIZE", "question", "0"),
    ],
    "writev": [stream("a_connection(), a_vector(RACED, RACED_SIZE), 1")],
    "setsockopt": [
        Case(f"a_member(), IPPROTO_IP, {join}, RACED, raced.size", what, f"left({leave})")
        for what, join, leave in (
            ("group", "IP_ADD_MEMBERSHIP", "IP_DROP_MEMBERSHIP"),
            ("request", "MCAST_JOIN_GROUP", "MCAST_LEAVE_GROUP"),
        )
    ],
    "prlimit64": [Case("0, RLIMIT_AS, RACED, NULL", "limit", "lowered()")],
    "setrlimit": [Case("RLIMIT_AS, RACED", "limit", "lowered()")],
    "recvmsg": [Case("a_courier(), &receiving()->msg_hdr, 0", "rights", "keeps()")],
    "recvmmsg": [Case("a_courier(), receiving(), 1, 0, NULL", "rights", "keeps()")],
    "dlopen": [Case("RACED, RTLD_LAZY", there) for there in ("library", "named")],
    "dlmopen": [Case("LM_ID_BASE, RACED, RTLD_LAZY", there) for there in ("library", "named")],
    "dlsym": [Case("libc(), RACED", "symbol", "is_libcs(R)")],
    "dlvsym": [Case("libc(), RACED, FIRST_GLIBC", "symbol", "is_libcs(R)")],
    # libc ends the process for an unknown function name. It does so without the guard too, if the
    # name changes while libc reads it.
    "__nss_lookup_function": [],
}
CASES["sendto"].append(stream("a_connection(), RACED, RACED_SIZE, 0, NULL, 0"))
CASES["sendmsg"].append(stream("a_connection(), a_message(RACED, RACED_SIZE), 0"))
CASES["sendmmsg"].append(
    stream("a_connection(), (struct mmsghdr[]){{*a_message(RACED, RACED_SIZE)}}, 1, 0")
)

# System calls without a function in libc, called by number.
NUMBERS: dict[str, list[Case]] = {
    "openat2": [made("437, AT_FDCWD, RACED, &(uint64_t[3]){O_WRONLY | O_CREAT, 0600, 0}, 24", FD)],
    "execve by number": [program(f"SYS_execve, RACED, {WORDS}, {PLAIN}")],
    "mkdirat by number": [made("SYS_mkdirat, AT_FDCWD, RACED, 0700")],
}
