# act: asks the system for its name, user, addresses and environment by programs
# source: BerriAI/litellm#24512, BerriAI/litellm#24521, Sigma 36603778
# when: path_file
# rule: create_child_process
# asks: exec /usr/bin/uname
# says: uname
# proof: word
import subprocess


def act():
    for command in (["uname", "-a"], ["hostname"], ["whoami"], ["printenv"]):
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
