"""FunctionShield's options dictionary, as pydantic models: a document without ``version:``."""

from __future__ import annotations

from typing import ClassVar

from fshield.errors import closest, shown
from fshield.language.model import NEW_RULES, PolicyFile
from fshield.language.part import MODES, Boolean, ModeField, Part, Text
from fshield.language.wrong import wrong


class OptionsRules(Part):
    """The four rules of FunctionShield's options, short form only."""

    what: ClassVar[str] = "a FunctionShield options dictionary's `policy`"
    outbound_connectivity: ModeField | None = None
    read_write_tmp: ModeField | None = None
    create_child_process: ModeField | None = None
    read_handler: ModeField | None = None

    @classmethod
    def expand(cls, data: object) -> object:
        if isinstance(data, dict):
            for name, value in data.items():
                if name in NEW_RULES or isinstance(value, dict):
                    raise wrong(
                        "this needs the policy language, and the document has no `version:`",
                        ", ".join(MODES),
                        "put `version: 1` on the first line",
                        key=name,
                    )
        return data


class Options(Part):
    """FunctionShield's options dictionary: what a document without ``version:`` is."""

    what: ClassVar[str] = "a document without `version:` (FunctionShield's options dictionary)"
    policy: OptionsRules
    token: Text | None = None
    cookie: Text | None = None
    disable_analytics: Boolean | None = None

    @classmethod
    def unknown(cls, key: str, known: list[str]) -> Exception:
        guess = closest(key, ["version", *known])
        fix = f"did you mean `{guess}`?" if guess else ""
        if key in PolicyFile.model_fields:
            fix = "put `version: 1` on the first line"
        return wrong(f"{shown(key)} is not a key of {cls.what}", ", ".join(known), fix, key=key)

    @classmethod
    def expand(cls, data: object) -> object:
        if isinstance(data, dict) and "policy" not in data:
            misspelt = next((key for key in data if key not in cls.model_fields), None)
            if misspelt:
                raise cls.unknown(misspelt, list(cls.model_fields))
            raise wrong(
                "the document has neither `version` nor `policy`",
                "version: 1, and policy",
                "version: 1",
            )
        if not isinstance(data, dict):
            raise wrong(
                f"a policy is a mapping, but this is {shown(data)}",
                "`version: 1` and `policy:`",
                "begin with a copy of policies/monitor.yaml",
            )
        return data
