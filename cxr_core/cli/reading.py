"""The flags ``--rule`` and ``--describe`` of all commands that open a data set: what they say is kept for it.

answer(options)         # before the data set is scanned
"""

import sys
from argparse import Namespace
from pathlib import Path

from cxr_core.errors import ConfigError


def check(options: Namespace) -> None:
    """Raises ConfigError where a rule has no choice, or the flags are given without a data set."""
    if (options.rule or options.describe) and options.data is None:
        raise ConfigError("--rule and --describe say how --data is read: expected --data too")
    _rules(options)


def answer(options: Namespace) -> None:
    """Keep what the flags say of ``--data``, and say so. Raises DatasetError where it cannot be read so."""
    if not (options.rule or options.describe):
        return
    from cxr_core.data.answers import file_of
    from cxr_core.data.replies import reply
    from cxr_core.data.sets.description import load

    description = load(Path(options.describe)) if options.describe else None
    reply(options.data, _rules(options), description)
    print(f"Kept in {file_of(options.data)}: every command and page reads the data set so.", file=sys.stderr)


def _rules(options: Namespace) -> dict[str, str]:
    pairs = [text.partition("=") for text in options.rule]
    for rule, sign, choice in pairs:
        if not (rule.strip() and sign and choice.strip()):
            raise ConfigError(f"--rule: expected RULE=CHOICE, such as views=all, got {rule + sign + choice!r}")
    return {rule.strip(): choice.strip() for rule, _, choice in pairs}
