# class: machine_code
# rule: native_code
# needs: module:lupa
# success: Lua inside an extension module calls a function of libc by its name
# proof: word
import os

from attack import attempt


@attempt
def call():
    import lupa.lua54

    lua = lupa.lua54.LuaRuntime()
    os.umask(0)
    lua.execute('package.loadlib("libc.so.6", "umask")()')
    return os.umask(0o22) != 0
