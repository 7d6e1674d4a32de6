"""The modules of CPython's own test-suite that use what the guard interposes, quick ones first.

Modules that an interpreter lacks are left out.
"""

from __future__ import annotations


def words(text: str) -> list[str]:
    """The words of `text`."""
    return text.split()


# Seconds each, on one core.
QUICK: list[str] = words("""
test_posix test_os test_file test_fileio test_shutil test_glob test_pathlib test_fcntl test_pty
test_openpty test_mmap test_resource test_select test_selectors test_poll test_epoll test_audit
test_site test_tempfile test_fileinput test_zipimport test_importlib test_import test_inspect
test_linecache test_traceback test_urllib test_urllibnet test_urllib2 test_urllib2_localnet
test_urllib_response test_httplib test_httpservers test_http_cookiejar test_dbm test_dbm_dumb
test_dbm_gnu test_dbm_ndbm test_dbm_sqlite3 test_readline test_sqlite3 test_ctypes test_popen
test_posixpath test_genericpath test_stat test_fork1 test_wait3 test_wait4 test_kqueue test_ioctl
test_termios test_tty test_socketserver test_ftplib test_smtplib test_poplib test_imaplib
test_nntplib test_telnetlib test_asynchat test_asyncore test_xmlrpc test_thread
test_threadedtempfile test_threadsignals test_threading_local test_queue test_contextlib
test_atexit test_sys test_sysconfig test_sys_settrace test_py_compile test_compileall test_runpy
test_pkg test_pkgutil test_module test_code test_codeop test_doctest test_pdb test_unittest
test_venv test_zipfile test_tarfile test_gzip test_bz2 test_lzma test_shelve test_pickle
test_mailbox test_crypt test_pwd test_grp test_uuid test_platform test_getpass test_locale
test_webbrowser test_eintr test_ssl test_hashlib test_random test_netrc test_dtrace
test_perf_trampoline test_openssl test_sched test_time test_logging_handlers test_largefile
test_device test_script_helper test_support test_frame test_exceptions test_except_hook
test_unicode_file test_bytes test_array test_struct test_marshal test_weakref test_gc test_getpath
test_cmd test_ensurepip test_cgi test_interpreters test__interpreters test__xxsubinterpreters
test__interpchannels test_fork_in_thread
""")

# Minutes each, on one core.
SLOW: list[str] = words("""
test_subprocess test_socket test_signal test_threading test_cmd_line test_cmd_line_script
test_faulthandler test_io test_embed test_capi test_concurrent_futures test_asyncio test_logging
test_regrtest test_multiprocessing_main_handling test_multiprocessing_fork
test_multiprocessing_forkserver test_multiprocessing_spawn
""")

# Tests that never end on some machines, bare as well.
NEVER_END: dict[str, list[str]] = {
    # A virtual machine may have the device, and nobody who answers.
    "test_socket": ["ThreadedVSOCKSocketStreamTest"],
}

# What `--sample` runs: one or two modules of each door family.
SAMPLE: list[str] = words("""
test_posix test_os test_subprocess test_socket test_signal test_select test_mmap test_fcntl
test_audit test_tempfile test_import test_ssl
""")
