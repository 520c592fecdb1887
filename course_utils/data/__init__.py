"""The data sets of the course, one module each; all but ``photographs`` and ``large_models`` come as a ``Bundle``.

    texts(...)                              newsgroup posts, or the docstrings that ship with the packages
    neighbours(texts)                       the same kind of text from other classes, to train on beforehand
    digits() wine() breast_cancer() diabetes() photographs()      what comes with scikit-learn
    moved_digits(...)                       the digits at random places of a larger, empty square
    spoken_digits()                         ten words in 32 voices, shipped with the course
    reviews()                               short reviews in four domains, shipped with the course
    numbers(...)                            English number words with their Chinese numerals, generated
    large_models()                          published models from 1958 to today, shipped with the course

Every loader prints one line that says where its data came from.
"""

from course_utils.data.bundle import Bundle
from course_utils.data.corpus import neighbours, texts
from course_utils.data.large_models import large_models
from course_utils.data.numbers import from_chinese, from_english, numbers, to_chinese, to_english
from course_utils.data.reviews import reviews
from course_utils.data.scikit_learn import breast_cancer, diabetes, digits, moved_digits, photographs, wine
from course_utils.data.spoken_digits import spoken_digits

__all__ = [
    "Bundle",
    "breast_cancer",
    "diabetes",
    "digits",
    "from_chinese",
    "from_english",
    "large_models",
    "moved_digits",
    "neighbours",
    "numbers",
    "photographs",
    "reviews",
    "spoken_digits",
    "texts",
    "to_chinese",
    "to_english",
    "wine",
]
