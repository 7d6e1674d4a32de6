# class: lambda
# rule: read_write_tmp
# policy: child-mode-allow.yaml
# success: a forked worker, as on managed instances, keeps data in /tmp
# proof: new
import multiprocessing

from attack import NEW, attempt


def work():
    with open(NEW, "w") as opened:
        opened.write("kept")


@attempt
def stash():
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
    return worker.exitcode == 0
