# act: leaves /tmp/.bun_ran, so that it runs once
# source: ossf/malicious-packages#1299
# when: path_file
# rule: read_write_tmp
# asks: make /tmp/.bun_ran
# says: /tmp/.bun_ran
# proof: file
# path: /tmp/.bun_ran
# realistic: an invocation may use what it makes in /tmp; the file is gone when it ends
# only_for: an invocation may use what it makes in /tmp; the file is gone when it ends
# undone: realistic only_for
def act():
    open("/tmp/.bun_ran", "w").close()
