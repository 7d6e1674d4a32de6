# class: children
# rule: create_child_process
# success: multiprocessing starts a worker
# proof: mark
import multiprocessing
import os

if __name__ == "__main__":
    from attack import MARK, attempt

    @attempt
    def start():
        context = multiprocessing.get_context("spawn")
        worker = context.Process(target=os.mkdir, args=(MARK,))
        worker.start()
        worker.join()
        return worker.exitcode == 0
