"""Names as people type them: case, accents, abbreviations and word order folded away."""

import re
import unicodedata

# What is typed short, in full. "St" is a street or a saint: both fold to the same word, so that
# either finds either.
FULL_WORD = {
    "st": "street",
    "str": "strasse",
    "saint": "street",
    "sankt": "street",
    "ave": "avenue",
    "av": "avenue",
    "blvd": "boulevard",
    "rd": "road",
    "dr": "drive",
    "ln": "lane",
    "pl": "place",
    "plz": "plaza",
    "sq": "square",
    "hwy": "highway",
    "ct": "court",
    "ter": "terrace",
    "pkwy": "parkway",
    "mt": "mount",
    "first": "1st",
    "second": "2nd",
    "third": "3rd",
    "fourth": "4th",
    "fifth": "5th",
    "sixth": "6th",
    "seventh": "7th",
    "eighth": "8th",
    "ninth": "9th",
    "tenth": "10th",
}
# Words that say what kind of street it is, and that people leave out at a corner.
STREET_WORDS = frozenset(
    {
        "street",
        "avenue",
        "boulevard",
        "road",
        "drive",
        "lane",
        "place",
        "square",
        "court",
        "terrace",
        "way",
        "alley",
    }
)
CORNER_WORD = re.compile(r"\s*[&/@+]\s*|\s+(?:and|und|at|corner|ecke)\s+")
NOT_A_WORD = re.compile(r"[^\w]+")
# As in "Landstr. 5" and "Landstraße".
GERMAN_STREET = re.compile(r"(?<=\w{3})str$")

# "Aeulestrasse" is how "Äulestrasse" is written without the letter.
UMLAUT_IN_TWO = re.compile(r"([aou])e")


def fold(text: str) -> str:
    """Lower case without accents, words in full and single spaces between them.

    "Äulestr." and "Äulestrasse" fold to one; so do "Mission St" and "mission street".
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = NOT_A_WORD.sub(" ", plain.replace("'", "")).split()
    full = [FULL_WORD.get(word, GERMAN_STREET.sub("strasse", word)) for word in words]
    return UMLAUT_IN_TWO.sub(r"\1", " ".join(full))


def fold_query(text: str) -> str:
    """The same for what was typed; "5th St and Mission" is the corner "5th & mission"."""
    parts = [part for part in map(fold, CORNER_WORD.split(text.casefold())) if part]
    return " & ".join(map(without_street_word, parts)) if len(parts) > 1 else "".join(parts)


def without_street_word(folded: str) -> str:
    """Of "mission street" only "mission"; a street's only word stays."""
    words = folded.split()
    return " ".join(words[:-1]) if len(words) > 1 and words[-1] in STREET_WORDS else folded
