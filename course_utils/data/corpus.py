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
