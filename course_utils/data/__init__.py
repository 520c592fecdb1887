"""The data sets of the course, one module each, all behind one ``Bundle``.

    texts(...)                              newsgroup posts, or the docstrings that ship with the packages
    digits() wine() breast_cancer() diabetes() photographs()      what comes with scikit-learn

Every loader prints one line that says where its data came from.
"""

from course_utils.data.bundle import Bundle
from course_utils.data.corpus import texts
from course_utils.data.scikit_learn import breast_cancer, diabetes, digits, photographs, wine

__all__ = ["Bundle", "breast_cancer", "diabetes", "digits", "photographs", "texts", "wine"]
