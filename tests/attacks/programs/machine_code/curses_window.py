# class: machine_code
# rule: native_code
# needs: module:_curses
# success: a window from a file has its cursor outside of its own memory
# proof: word
# also: read_write_tmp
import io
import os

from attack import attempt

DUMP = "ncurses 6.5\n_cury=4\n_curx=60\n_maxy=4\n_maxx=9\nrows:\n" + "".join(
    f"{row}:\n" for row in range(1, 6)
)


@attempt
def read():
    import curses

    os.environ["TERM"] = "dumb"
    _, terminal = os.openpty()
    kept = os.dup(0), os.dup(1)
    os.dup2(terminal, 0)
    os.dup2(terminal, 1)
    try:
        curses.initscr()
        window = curses.getwin(io.BytesIO(b"\x88\x88\x88\x88" + DUMP.encode()))
        return window.getyx()[1] > 9
    finally:
        os.dup2(kept[0], 0)
        os.dup2(kept[1], 1)
