# class: files
# rule: read_write_tmp
# success: a new file in /tmp holds the secret
# proof: new
from attack import NEW, SECRET, attempt


@attempt
def stash():
    with open(NEW, "w") as opened:
        return opened.write(SECRET) > 0
