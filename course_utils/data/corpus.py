"""Texts to classify: the newsgroup posts where they can be had, else the embedded text."""

from __future__ import annotations

from course_utils.data import docstrings, newsgroups
from course_utils.data.bundle import Bundle

SOURCES = ("auto", "newsgroups", "docstrings")


def texts(source: str = "auto", categories=newsgroups.DEFAULT) -> Bundle:
    """Load texts with their classes, and print one line that says where they came from.

    Args:
        source: ``"newsgroups"`` (an error if they cannot be had), ``"docstrings"`` (the embedded text),
            or ``"auto"``: the newsgroup posts if possible, else the embedded text, which it says.
        categories: two or more of the twenty newsgroups, or ``"all"``; the embedded text has its own two.

    Raises:
        ValueError: an unknown source or newsgroup; the message lists the known ones.
        newsgroups.Unavailable: ``source="newsgroups"`` and there is no way to get them.
    """
    if source not in SOURCES:
        raise ValueError(f"SOURCE is one of {', '.join(SOURCES)}; not {source!r}.")
    chosen = newsgroups.check_categories(categories)
    if source == "docstrings":
        bundle = docstrings.docstrings()
    else:
        try:
            bundle = newsgroups.newsgroups(chosen)
        except newsgroups.Unavailable as reason:
            if source == "newsgroups":
                raise
            print(f"{reason}\nThe lesson goes on with the text that ships with the packages. Its numbers differ.")
            bundle = docstrings.docstrings()
    print(bundle.source)
    return bundle


def neighbours(bundle: Bundle, at_most: int = 18) -> Bundle:
    """Texts of the same kind as a bundle of ``texts``, but of other classes: to train on beforehand.

    For posts, those of the other newsgroups; for docstrings, those of other packages that the course installs.
    Prints one line that says which.

    Args:
        at_most: that many classes, the first in the order of the collection; at least 2.

    Raises:
        ValueError: fewer than two classes are left or asked for.
    """
    if bundle.name == "docstrings":
        chosen = dict(list(docstrings.OTHERS.items())[:at_most])
    else:
        chosen = [name for name in newsgroups.NAMES if name not in bundle.classes][:at_most]
    if len(chosen) < 2:
        raise ValueError(f"At least two other classes are needed; here {len(chosen)} are left: name fewer CATEGORIES.")
    found = docstrings.docstrings(chosen) if bundle.name == "docstrings" else newsgroups.newsgroups(chosen)
    print(found.source)
    return found
