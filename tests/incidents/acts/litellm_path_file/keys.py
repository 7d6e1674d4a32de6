# act: reads ~/.ssh and ~/.aws
# source: BerriAI/litellm#24512, BerriAI/litellm#24521, Sigma 36603778
# when: path_file
# open: only /tmp and the handler's source are guarded: whatever else the function may read,
#   its packages may read
# proof: word
import os


def act():
    for name in (".ssh/id_rsa", ".aws/credentials"):
        with open(os.path.expanduser("~/" + name)) as opened:
            assert opened.read()
