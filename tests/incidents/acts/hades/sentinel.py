# act: leaves /tmp/.bun_ran, so that it runs once
# source: ossf/malicious-packages#1299
# when: path_file
# rule: read_write_tmp
# asks: open /tmp/.bun_ran
# says: /tmp/.bun_ran
# proof: file
# path: /tmp/.bun_ran
# realistic: `tempfile` allows every name of eight characters in /tmp, and this has eight
def act():
    open("/tmp/.bun_ran", "w").close()
