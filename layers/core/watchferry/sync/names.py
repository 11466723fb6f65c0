"""When two names are the same: the one place where names are compared, whoever wrote them."""

import unicodedata

AND = "&"
AND_WORDS = frozenset({AND, "and", "и"})
"""One word, where it stands by itself."""
IGNORED = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"})
"""Unicode's spaces, control characters and punctuation."""
QUOTES = frozenset("`´")
"""Unicode counts these among its symbols."""


def name_key(name: str) -> str:
    """The same for names that are the same: case, spaces, punctuation and quotes aside, `&`, `and` and `и` as whole
    words one, and `ё` is `е`. A letter with another mark is another letter: й is not и, ä is not a.

    Empty for a name without a letter, digit or symbol, which is the same as no other name.
    """
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold()).replace("ё", "е")
    parted = "".join(f" {AND} " if letter == AND else " " if _is_ignored(letter) else letter for letter in text)
    return "".join(AND if word in AND_WORDS else word for word in parted.split())


def same_name(one: str, other: str) -> bool:
    key = name_key(one)
    return bool(key) and key == name_key(other)


def _is_ignored(letter: str) -> bool:
    return letter in QUOTES or unicodedata.category(letter) in IGNORED
