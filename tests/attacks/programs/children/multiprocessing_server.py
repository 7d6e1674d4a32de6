# class: children
# rule: create_child_process
# success: multiprocessing starts a server that forks workers
# proof: mark
import multiprocessing
import os

if __name__ == "__main__":
    from attack import MARK, attempt

    @attempt
    def start():
        # Its socket would lie in /tmp: another folder, so that it is the process that counts.
        multiprocessing.current_process()._config["tempdir"] = os.getcwd()
        context = multiprocessing.get_context("forkserver")
        worker = context.Process(target=os.mkdir, args=(MARK,))
        worker.start()
        worker.join()
        return worker.exitcode == 0
