"""Text for streams that lack some of its characters, such as cp1252 on Windows or ASCII.

Formulas hold θ, ∂ and superscripts. A stream whose encoding lacks them raises UnicodeEncodeError
and shows nothing. Here such characters are spelled out instead: theta, d, ^2.
"""

from __future__ import annotations

import codecs
import sys
import unicodedata
from typing import Any

_SPELLED = {
    "∂": "d", "∇": "grad ", "‖": "|", "⟨": "<", "⟩": ">", "·": ".", "⊙": "*", "⊗": "x", "×": "x",
    "→": "->", "←": "<-", "↑": "^", "↓": "v", "½": "1/2", "…": "...", "−": "-", "≤": "<=",
    "≥": ">=", "≈": "~", "≠": "!=", "√": "sqrt", "∞": "inf", "∑": "sum", "Σ": "sum", "█": "#",
}  # fmt: skip


def _spell(error: UnicodeError) -> tuple[str, int]:
    """The handler of codecs: ASCII for the characters that cannot be encoded."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    out, raised = [], False
    for letter in error.object[error.start : error.end]:
        script = unicodedata.decomposition(letter)
        plain = unicodedata.normalize("NFKC", letter)
        plain = _SPELLED.get(plain, plain)  # a raised minus is one that ASCII lacks
        name = unicodedata.name(letter, "")
        if script.startswith(("<super>", "<sub>")) and plain.isascii():
            mark = "^" if script.startswith("<super>") else "_"
            out.append(plain if raised else mark + plain)  # one mark for a run: ^(l), ^-1
            raised = True
            continue
        raised = False
        if letter not in _SPELLED and name.startswith("GREEK ") and " LETTER " in name:
            word = name.split(" LETTER ")[1].partition(" ")[0].lower()
            out.append(word.capitalize() if "CAPITAL" in name else word)
        else:
            escaped = letter.encode("ascii", "backslashreplace").decode()
            out.append(_SPELLED.get(letter, plain if plain.isascii() else escaped))
    return "".join(out), error.end


codecs.register_error("tinynet.spell", _spell)


def printable(text: str, stream: Any = None) -> str:
    """`text` with what a stream, by default the standard output, lacks spelled out."""
    stream = sys.stdout if stream is None else stream
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        return text.encode(encoding, "tinynet.spell").decode(encoding)
    except LookupError:  # an encoding that Python does not know
        return text.encode("ascii", "tinynet.spell").decode()


def write(message: Any = "", stream: Any = None) -> None:
    """Print a line at once, with what the stream lacks spelled out."""
    stream = sys.stdout if stream is None else stream
    print(printable(str(message), stream), file=stream, flush=True)


def spell_out() -> None:
    """From now on the standard streams spell out what they lack: the first line of a program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not a StringIO
            stream.reconfigure(errors="tinynet.spell")
