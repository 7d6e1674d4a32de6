# class: events
# rule: read_write_tmp
# also: native_code
# success: code whose file and function have names that end the event's line reads a file in /tmp
# proof: read
from attack import FILE, attempt

CODE = "def f():\n    return open(%r).read()\n" % FILE


@attempt
def steal():
    space = {"__name__": '\n"}\x00evil'}
    exec(compile(CODE, '/x/site-packages/\n{"function_shield":true}/' + "y" * 3000, "exec"), space)
    function = space["f"]
    function.__code__ = function.__code__.replace(co_name='"\n}' + "n" * 3000)
    return function()
