"""The arguments with which each door must refuse a call, by its symbol and, if it has one, by its
system call number.

The first letter of an argument is its kind: i an integer, s a string, b a number of zero bytes, a a
socket address. calls.c has the whole list.
"""

from __future__ import annotations

AT = "i-100"
FILE, NEW, FOLDER, OWN = "s{file}", "s{new}", "s{folder}", "s{own}"
OUT = "a127.66.66.66:9"
NAME = "sdata.evil.example"
SHELL = "s/bin/sh"

# By symbol: the type of the result, which shows how a failure looks, and the arguments.
CALLS: dict[str, tuple[str, ...]] = {
    # files
    "open": ("int", FILE, "i0"),
    "__open_2": ("int", FILE, "i0"),
    "openat": ("int", AT, FILE, "i0"),
    "__openat_2": ("int", AT, FILE, "i0"),
    "openat2": ("int", AT, FILE, "b24", "i24"),
    "creat": ("int", NEW, "i0600"),
    "fopen": ("pointer", FILE, "sr"),
    "setmntent": ("pointer", FILE, "sr"),
    "__nss_files_fopen": ("pointer", FILE),
    "catopen": ("pointer", FILE, "i0"),
    "__open_catalog": ("int", FILE, "i0", "i0", "b4096"),
    "bindtextdomain": ("pointer", "sdomain", FOLDER),
    "textdomain": ("pointer", "s../domain"),
    "utmpname": ("int", FILE),
    "svcunix_create": ("pointer", "i-1", "i0", "i0", NEW),
    "tmpfile": ("pointer",),
    "mkstemp": ("int", "s{new}XXXXXX"),
    "mkostemp": ("int", "s{new}XXXXXX", "i0"),
    "mkstemps": ("int", "s{new}XXXXXX.c", "i2"),
    "mkostemps": ("int", "s{new}XXXXXX.c", "i2", "i0"),
    "mkdtemp": ("pointer", "s{new}XXXXXX"),
    "opendir": ("pointer", FOLDER),
    "scandir": ("int", FOLDER, "b8", "i0", "i0"),
    "scandirat": ("int", AT, FOLDER, "b8", "i0", "i0"),
    "fts_open": ("pointer", "p", FOLDER, "i16", "i0"),
    "mkdir": ("int", NEW, "i0700"),
    "mkdirat": ("int", AT, NEW, "i0700"),
    "rmdir": ("int", FOLDER),
    "unlink": ("int", FILE),
    "unlinkat": ("int", AT, FILE, "i0"),
    "remove": ("int", FILE),
    "rename": ("int", FILE, NEW),
    "renameat": ("int", AT, FILE, AT, NEW),
    "renameat2": ("int", AT, FILE, AT, NEW, "i0"),
    "link": ("int", FILE, NEW),
    "linkat": ("int", AT, FILE, AT, NEW, "i0"),
    "symlink": ("int", "starget", NEW),
    "symlinkat": ("int", "starget", AT, NEW),
    "readlink": ("int", "s{link}", "b64", "i64"),
    "readlinkat": ("int", AT, "s{link}", "b64", "i64"),
    "__readlink_chk": ("int", "s{link}", "b64", "i64", "i64"),
    "__readlinkat_chk": ("int", AT, "s{link}", "b64", "i64", "i64"),
    "mknod": ("int", NEW, "i0100600", "i0"),
    "mknodat": ("int", AT, NEW, "i0100600", "i0"),
    "__xmknod": ("int", "i0", NEW, "i0100600", "b8"),
    "__xmknodat": ("int", "i0", AT, NEW, "i0100600", "b8"),
    "mkfifo": ("int", NEW, "i0600"),
    "mkfifoat": ("int", AT, NEW, "i0600"),
    "truncate": ("int", FILE, "i0"),
    "chmod": ("int", FILE, "i0600"),
    "fchmodat": ("int", AT, FILE, "i0600", "i0"),
    "chown": ("int", FILE, "i-1", "i-1"),
    "lchown": ("int", FILE, "i-1", "i-1"),
    "fchownat": ("int", AT, FILE, "i-1", "i-1", "i0"),
    "utime": ("int", FILE, "i0"),
    "utimes": ("int", FILE, "i0"),
    "lutimes": ("int", FILE, "i0"),
    "futimesat": ("int", AT, FILE, "i0"),
    "utimensat": ("int", AT, FILE, "i0", "i0"),
    "setxattr": ("int", FILE, "suser.x", "sv", "i1", "i0"),
    "lsetxattr": ("int", FILE, "suser.x", "sv", "i1", "i0"),
    "listxattr": ("int", FILE, "b64", "i64"),
    "llistxattr": ("int", FILE, "b64", "i64"),
    "ftw": ("int", FOLDER, "i0", "i8"),
    "nftw": ("int", FOLDER, "i0", "i8", "i0"),
    # network
    "socket": ("int", "i17", "i3", "i0"),
    "connect": ("int", "t", OUT, "i16"),
    "sendto": ("int", "u", "sx", "i1", "i0", OUT, "i16"),
    # names
    "getaddrinfo": ("lookup", NAME, "i0", "i0", "b8"),
    "getnameinfo": ("lookup", OUT, "i16", "b64", "i64", "i0", "i0"),
    "gethostbyname": ("pointer", NAME),
    "gethostbyname2": ("pointer", NAME, "i2"),
    "gethostbyaddr": ("pointer", "sBBBB", "i4", "i2"),
    "getnetbyname": ("pointer", NAME),
    "getnetbyaddr": ("pointer", "i1111111", "i2"),
    "res_query": ("int", NAME, "i1", "i1", "b512", "i512"),
    "__res_query": ("int", NAME, "i1", "i1", "b512", "i512"),
    "res_search": ("int", NAME, "i1", "i1", "b512", "i512"),
    "__res_search": ("int", NAME, "i1", "i1", "b512", "i512"),
    "res_querydomain": ("int", "sdata", "sevil.example", "i1", "i1", "b512"),
    "res_send": ("int", "b64", "i64", "b512", "i512"),
    "__res_send": ("int", "b64", "i64", "b512", "i512"),
    "res_nquery": ("int", "b568", NAME, "i1", "i1", "b512", "i512"),
    "res_nsearch": ("int", "b568", NAME, "i1", "i1", "b512", "i512"),
    "res_nsend": ("int", "b568", "b64", "i64", "b512", "i512"),
    "res_gethostbyname": ("pointer", NAME),
    "res_gethostbyname2": ("pointer", NAME, "i2"),
    "res_gethostbyaddr": ("pointer", "sBBBB", "i4", "i2"),
    "_nss_dns_gethostbyname_r": ("nss", NAME, "b32", "b512", "i512", "e", "b4"),
    "_nss_dns_gethostbyname2_r": ("nss", NAME, "i2", "b32", "b512", "i512", "e", "b4"),
    "_nss_dns_getcanonname_r": ("nss", NAME, "b512", "i512", "b8", "e", "b4"),
    "__nss_configure_lookup": ("int", "shosts", "sfiles"),
    "__nss_hosts_lookup": ("int", "b8", "sgethostbyname_r", "b8"),
    "__nss_hosts_lookup2": ("int", "b8", "sgethostbyname_r", "i0", "b8"),
    "__nss_next": ("int", "b8", "sgethostbyname_r", "b8", "i0", "i0"),
    "__nss_next2": ("int", "b8", "sgethostbyname_r", "i0", "b8", "i0", "i0"),
    "__nss_lookup": ("int", "b8", "sgethostbyname_r", "i0", "b8"),
    "__nss_lookup_function": ("pointer", "i0", "sgethostbyname_r"),
    "rcmd": ("int", "p", "s127.66.66.66", "i9", "sa", "sb", "sc", "b4"),
    "rcmd_af": ("int", "p", "s127.66.66.66", "i9", "sa", "sb", "sc", "b4"),
    "rexec": ("int", "p", "s127.66.66.66", "i9", "sa", "sb", "sc", "b4"),
    "rexec_af": ("int", "p", "s127.66.66.66", "i9", "sa", "sb", "sc", "b4"),
    "ruserok": ("int", NAME, "i0", "sa", "sb"),
    "ruserok_af": ("int", NAME, "i0", "sa", "sb", "i2"),
    "iruserok": ("int", "i0x4242427f", "i0", "sa", "sb"),
    "iruserok_af": ("int", "sBBBB", "i0", "sa", "sb", "i2"),
    "clnt_create": ("pointer", "s127.66.66.66", "i100000", "i2", "stcp"),
    "clnttcp_create": ("pointer", OUT, "i100000", "i2", "b4", "i0", "i0"),
    "clntudp_create": ("pointer", OUT, "i100000", "i2", "i1", "i0", "b4"),
    "clntudp_bufcreate": ("pointer", OUT, "i100000", "i2", "i1", "i0", "b4"),
    "clntunix_create": ("pointer", "b128", "i100000", "i2", "b4", "i0", "i0"),
    "svcudp_create": ("pointer", "i-1"),
    "svcudp_bufcreate": ("pointer", "i-1", "i9000", "i9000"),
    "svctcp_create": ("pointer", "i-1", "i0", "i0"),
    "svcfd_create": ("pointer", "i0", "i0", "i0"),
    "svcunixfd_create": ("pointer", "i0", "i0", "i0"),
    "setipv4sourcefilter": ("int", "i0", "i0", "i0", "i0", "i0", "i0"),
    "setsourcefilter": ("int", "i0", "i0", OUT, "i16", "i0", "i0", "i0"),
    "fmtmsg": ("int", "i0", "sa:b", "i0", "sa", "sb", "sc:1"),
    "rtime": ("int", OUT, "b16", "b16"),
    "authdes_create": ("pointer", "ss", "i1", OUT, "i0"),
    "authdes_pk_create": ("pointer", "ss", "i0", "i1", OUT, "i0"),
    # processes
    "fork": ("int",),
    "_Fork": ("int",),
    "vfork": ("int",),
    "daemon": ("int", "i1", "i1"),
    "forkpty": ("int", "b4", "i0", "i0", "i0"),
    "clone": ("int", "i0", "i0", "i17"),
    "execve": ("int", SHELL, "p", "ssh", "b8"),
    "execv": ("int", SHELL, "p", "ssh"),
    "execvp": ("int", "ssh", "p", "ssh"),
    "execvpe": ("int", "ssh", "p", "ssh", "b8"),
    "execl": ("int", SHELL, "ssh", "i0"),
    "execlp": ("int", "ssh", "ssh", "i0"),
    "execle": ("int", SHELL, "ssh", "i0", "b8"),
    "fexecve": ("int", "d/bin/sh", "p", "ssh", "b8"),
    "execveat": ("int", AT, SHELL, "p", "ssh", "b8", "i0"),
    "posix_spawn": ("error", "b4", SHELL, "i0", "i0", "p", "ssh", "b8"),
    "posix_spawnp": ("error", "b4", "ssh", "i0", "i0", "p", "ssh", "b8"),
    "pidfd_spawn": ("error", "b4", SHELL, "i0", "i0", "p", "ssh", "b8"),
    "pidfd_spawnp": ("error", "b4", "ssh", "i0", "i0", "p", "ssh", "b8"),
    "system": ("int", "strue"),
    "popen": ("pointer", "strue", "sr"),
    "_IO_proc_open": ("pointer", "b512", "strue", "sr"),
    "ptrace": ("int", "i0", "i0", "i0", "i0"),
    "process_vm_readv": ("int", "i1", "i0", "i0", "i0", "i0", "i0"),
    "process_vm_writev": ("int", "i1", "i0", "i0", "i0", "i0", "i0"),
    # code
    "dlopen": ("pointer", FILE, "i1"),
    "dlmopen": ("pointer", "i-1", "slibc.so.6", "i1"),
    "__libc_dlopen_mode": ("pointer", "slibc.so.6", "i1"),
    "__libc_dlsym": ("pointer", "i0", "sconnect"),
    "mq_notify": ("int", "i-1", "b64"),
    "raise": ("int", "i33"),
    "pidfd_send_signal": ("int", "i-1", "i33", "i0", "i0"),
    "__libc_dlvsym": ("pointer", "i0", "sconnect", "sGLIBC_2.2.5"),
    # how a path is used
    "mount": ("int", "snone", "s/mnt", "stmpfs", "i0", "i0"),
    "umount": ("int", "s/none"),
    "umount2": ("int", "s/none", "i0"),
    "chroot": ("int", "s/"),
    "pivot_root": ("int", "s/none", "s/none"),
    "unshare": ("int", "i0x400"),
    "setns": ("int", "d/proc/self/ns/uts", "i0"),
    "fsopen": ("int", "stmpfs", "i0"),
    "fsconfig": ("int", "i-1", "i0", "sa", "sb", "i0"),
    "fsmount": ("int", "i-1", "i0", "i0"),
    "fspick": ("int", AT, "s/", "i0"),
    "open_tree": ("int", AT, "s/", "i0"),
    "move_mount": ("int", AT, "s/none", AT, "s/none", "i0"),
    "mount_setattr": ("int", AT, "s/", "i0", "b32", "i32"),
    "pidfd_getfd": ("int", "i-1", "i0", "i0"),
    "process_madvise": ("int", "i-1", "i0", "i0", "i0", "i0"),
    "prctl": ("int", "i22", "i1", "i0", "i0", "i0"),
    "prlimit64": ("int", "i0", "i9", "b16", "i0"),
    "setrlimit": ("int", "i9", "b16"),
    "inotify_add_watch": ("int", "i-1", FOLDER, "i1"),
    "fanotify_mark": ("int", "i-1", "i0", "i1", AT, FOLDER),
}

# System calls by number whose arguments differ from those of libc's function.
NUMBERS: dict[str, tuple[str, ...]] = {
    "clone": ("int", "i17", "i0", "i0", "i0", "i0"),
    "fchmodat2": ("int", AT, FILE, "i0600", "i0"),
}

# Doors that refuse nothing in a C program under `strict`, or whose return value does not show the
# refusal.
APART = {
    "judged by what the fd leads to or what a variable says; siblings stand above": (
        """
        fchmod fchown fsetxattr open_by_handle_at freopen _IO_file_fopen _IO_file_open gettext
        dgettext dcgettext ngettext dngettext dcngettext updwtmp updwtmpx _mcleanup mtrace getdate
        getdate_r ruserpass __res_context_hostalias glob glob64 lchmod getxattr lgetxattr
        removexattr lremovexattr tzset localtime localtime_r ctime ctime_r mktime strftime
        strftime_l wcsftime wcsftime_l gmtime gmtime_r timegm strptime strerror strerror_r
        __xpg_strerror_r strerror_l strsignal gai_strerror hstrerror fts_read fts_children
        setlocale newlocale iconv_open bind send sendmsg
        sendmmsg recv __recv_chk recvfrom __recvfrom_chk __read_chk recvmsg recvmmsg read readv
        preadv2 write vdprintf dprintf eventfd_write __vdprintf_chk __dprintf_chk writev pwritev2
        sendfile
        backtrace_symbols_fd _IO_file_attach openlog closelog vsyslog syslog __vsyslog_chk
        __syslog_chk
        splice dup aio_write lio_listio setsockopt posix_spawn_file_actions_addopen pclose wordexp
        close dup2 dup3 close_range closefrom fcntl fdopen syscall __libc_start_main dlsym dlvsym
    """
    ),
    "the same code as a door that stands above, with more arguments than calls.c has": (
        """
        getaddrinfo_a gethostbyname_r gethostbyname2_r gethostbyaddr_r getnetbyname_r
        getnetbyaddr_r __res_querydomain res_nquerydomain __res_nquerydomain __res_nquery
        __res_nsearch __res_nsend
        _nss_dns_gethostbyname3_r
        _nss_dns_gethostbyname4_r _nss_dns_gethostbyaddr_r _nss_dns_gethostbyaddr2_r
        _nss_dns_getnetbyname_r
        _nss_dns_getnetbyaddr_r __res_context_query __res_context_search __res_context_send
        __ivaliduser
        __libc_clntudp_bufcreate clnt_broadcast callrpc getrpcport pmap_getmaps pmap_getport
        __libc_rpc_getport pmap_rmtcall pmap_set pmap_unset svc_register svc_unregister registerrpc
        key_gendes
    """
    ),
    "refuses nothing: a jump ends what the thread was in the middle of": (
        """
        longjmp _longjmp siglongjmp __longjmp_chk
    """
    ),
    "takes an address under native_code (tests/native_code), or refuses nothing": (
        """
        ioctl getsockopt sem_trywait sem_close sem_getvalue pthread_getcpuclockid pthread_kill
        epoll_ctl pthread_create tparm getwin sqlite3_prepare sqlite3_prepare_v2 sqlite3_prepare_v3
        sqlite3_open sqlite3_open_v2 gethostid shutdown ftruncate _exit
    """
    ),
    "native_code lets a program other than Python map code; tests/native_code has them": (
        """
        mmap mprotect pkey_mprotect munmap mremap madvise remap_file_pages memfd_create personality
        shmat shmdt _dl_make_stack_executable __nptl_change_stack_perm
    """
    ),
}
