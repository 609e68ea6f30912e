"""List the data sets on this machine, and fetch others.

::

    python -m tinynet.data                            # list and verify
    python -m tinynet.data fetch mnist cifar10        # into the user's cache
    python -m tinynet.data fetch mnist --root DIR     # into DIR/mnist
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence

from tinynet.console import spell_out
from tinynet.data.catalogue import ALIASES, DATA_SETS, locate_set
from tinynet.data.download import fetch
from tinynet.data.files import DataSet
from tinynet.data.idx import DataError

_COMMANDS = ("list", "fetch")


def main(
    arguments: Sequence[str] | None = None, data_sets: Mapping[str, DataSet] = DATA_SETS
) -> int:
    """Run the command; returns the exit status: 1 if a file is damaged or could not be fetched."""
    spell_out()
    known = ", ".join(data_sets)
    parser = argparse.ArgumentParser(
        prog="python -m tinynet.data",
        description="List the data sets on this machine, verified bit for bit, and fetch others.",
        epilog=f"Data sets: {known}. They are searched for in DIR, or by default in $TINYNET_DATA, "
        "the user's cache and /usr/share/datasets. Downloads go to DIR, or else to the cache.",
    )
    # not `choices`: the error below can suggest what was meant
    parser.add_argument(
        "command", nargs="?", metavar="{list,fetch}", default="list", help="list by default"
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="data sets; list shows all by default"
    )
    parser.add_argument("--root", metavar="DIR", help="the folder to search and to fetch into")
    parser.add_argument("--mirror", metavar="URL", help="mirror to try first: http://host/path/")
    options = parser.parse_intermixed_args(arguments)
    if options.command not in _COMMANDS:
        hint = f"choose from {', '.join(_COMMANDS)}"
        if close := _close(options.command, [*_COMMANDS, *data_sets]):
            commands = [close] if close in _COMMANDS else [f"{c} {close}" for c in _COMMANDS]
            hint = f"did you mean: {', '.join(commands)}?"
        parser.error(f"unknown command {options.command!r}; {hint}")
    options.names = [ALIASES.get(name.lower(), name.lower()) for name in options.names]
    for name in options.names:
        if name not in data_sets:
            close = _close(name, data_sets)
            hint = f"; did you mean {close}?" if close else ""
            parser.error(f"unknown data set {name!r}; choose from {known}{hint}")
    if options.mirror is not None and not re.match(r"https?://[^/]", options.mirror):
        parser.error(f"--mirror must look like http://host/path/, but is {options.mirror!r}")
    if options.command == "list" and options.root and not os.path.isdir(options.root):
        parser.error(f"--root {options.root}: no such folder")
    if options.command == "fetch" and not options.names:
        parser.error(f"fetch needs a name; choose from {known}")
    status = 0
    for name in options.names or data_sets:
        dataset = data_sets[name]
        if options.mirror:
            first = options.mirror.rstrip("/") + "/"
            dataset = dataclasses.replace(dataset, mirrors=(first, *dataset.mirrors))
        run = _list if options.command == "list" else _fetch
        try:
            print(run(dataset, options.root), flush=True)
        except (DataError, ImportError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            status = 1
    return status


def _close(word: str, words: Collection[str]) -> str:
    """The closest of `words`, ignoring case; "" if none is close."""
    return next(iter(difflib.get_close_matches(word.lower(), words, 1)), "")


def _list(dataset: DataSet, root: str | None) -> str:
    try:
        title, paths = locate_set(dataset, root)
    except FileNotFoundError:
        where, option = (f" in {root}", f" --root {root}") if root else ("", "")
        command = f"python -m tinynet.data fetch {dataset.name}{option}"
        return f"{dataset.name}: not found{where}; to get it: {command}"
    places = dict.fromkeys(os.fspath(path.parent) for path in paths)
    return f"{dataset.name}: {title}, verified, in {', '.join(places)}"


def _fetch(dataset: DataSet, root: str | None) -> str:
    try:
        locate_set(dataset, root)
    except (FileNotFoundError, DataError):
        root = os.fspath(fetch(dataset, root))
    return _list(dataset, root)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped by Ctrl-C")
