# class: children
# rule: create_child_process
# success: a program is started from an event loop
# proof: mark
import asyncio

from attack import TOUCH, attempt


async def run():
    return await (await asyncio.create_subprocess_exec(*TOUCH)).wait() == 0


@attempt
def start():
    return asyncio.run(run())
