"""The reviews: balanced, all different, and a marked subset that a bag of words really gets wrong."""

import collections
import csv
import importlib
import re

import numpy as np
import pytest

from course_utils import data, paths

module = importlib.import_module("course_utils.data.reviews")  # `data.reviews` is the function of that name

HEADER = "text,label,domain,marked\n"


@pytest.fixture(scope="session")
def reviews():
    return data.reviews()


def words(text):
    return re.findall(r"[a-z0-9']+", text.lower())


def sentences(text):
    """The sentences of a text as words without case and punctuation."""
    parts = (words(part) for part in re.split(r"[.!?]+(?=\s|$|\")", text))
    return [" ".join(part) for part in parts if part]


def repeated(items):
    return sorted(item for item, count in collections.Counter(items).items() if count > 1)


def most_shared(texts, size=3):
    """The largest share (Jaccard) of runs of ``size`` words that two texts have in common."""
    runs = [{tuple(w[i : i + size]) for i in range(len(w) - size + 1)} for w in map(words, texts)]
    pairs = ((a, b) for i, a in enumerate(runs) for b in runs[:i] if a and b)
    return max(len(a & b) / len(a | b) for a, b in pairs)


def most_alike(texts):
    """The largest cosine between two texts by the pieces of their words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(texts)
    return np.tril((pieces @ pieces.T).toarray(), -1).max()


# ---------------------------------------------------------------------------- balance


def test_four_hundred_in_four_domains_balanced_within_each(reviews):
    assert len(reviews) == 400 and reviews.classes == ("negative", "positive")
    counts = collections.Counter(zip(reviews.groups.tolist(), reviews.y.tolist(), strict=True))
    domains = ("books", "films", "gadgets", "restaurants")
    assert counts == {(domain, label): 50 for domain in domains for label in (0, 1)}


def test_the_classes_are_mixed(reviews):
    """The file is not sorted: any fifty rows in a row have both classes and all domains."""
    for start in range(0, 400, 50):
        assert 0.25 < reviews.y[start : start + 50].mean() < 0.75
        assert len(set(reviews.groups[start : start + 50])) == 4


def test_at_least_sixty_are_marked_and_balanced(reviews):
    marked = reviews.marked
    assert marked.dtype == bool and 60 <= marked.sum() <= 120
    assert 0.4 <= reviews.y[marked].mean() <= 0.6
    for domain in set(reviews.groups):
        here = marked & (reviews.groups == domain)
        assert here.sum() >= 15 and 0.4 <= reviews.y[here].mean() <= 0.6, domain


# ----------------------------------------------------------------------------- length


def test_lengths_from_five_to_sixty_words(reviews):
    lengths = np.array([len(text.split()) for text in reviews.x])
    assert lengths.min() == 5 and 55 <= lengths.max() <= 60
    for label in (0, 1):
        shares = np.histogram(lengths[reviews.y == label], [5, 15, 25, 35, 45, 61])[0] / 200
        assert shares.min() > 0.08, "every length is there, in both classes"


def test_length_does_not_tell_the_label(reviews):
    from sklearn.metrics import roc_auc_score

    lengths = np.array([len(text.split()) for text in reviews.x])
    assert 0.46 < roc_auc_score(reviews.y, lengths) < 0.54
    for domain in set(reviews.groups):
        here = reviews.groups == domain
        assert 0.42 < roc_auc_score(reviews.y[here], lengths[here]) < 0.58, domain


# ------------------------------------------------------------------- every one by itself


def test_no_sentence_twice(reviews):
    assert repeated(sentence for text in reviews.x for sentence in sentences(text)) == []


def test_no_near_duplicates(reviews):
    assert most_shared(reviews.x) < 0.15  # measured: 0.10
    assert most_alike(reviews.x) < 0.5  # measured: 0.40


def test_no_template(reviews):
    """No run of five words stands in more than two reviews."""
    runs = collections.Counter()
    for w in map(words, reviews.x):
        runs.update({tuple(w[i : i + 5]) for i in range(len(w) - 4)})
    assert [run for run, count in runs.items() if count > 2] == []


def test_openings_are_varied(reviews):
    two = collections.Counter(tuple(words(text)[:2]) for text in reviews.x)
    assert two.most_common(1)[0][1] <= 6 and len(two) >= 320
    one = collections.Counter(words(text)[0] for text in reviews.x)
    assert one.most_common(1)[0][1] <= 60


def test_the_searches_find_what_they_search_for(reviews):
    """A planted copy, a template with one word changed, and a sentence used again."""
    text = max(reviews.x, key=len)
    changed = " ".join(["Honestly", *text.split()[1:]])
    assert most_shared([*reviews.x, changed]) > 0.8 and most_alike([*reviews.x, changed]) > 0.8
    assert repeated(sentences("Not bad. A fine film, NOT BAD!")) == []
    assert repeated(sentences("Not bad. A fine film. NOT BAD!")) == ["not bad"]


def test_clean_text(reviews):
    for text in reviews.x:
        assert text == " ".join(text.split()) and text.isprintable()
        assert not re.search(r"http|www|@|#|<|>", text), text


# ------------------------------------------------------------------------- word order


def test_a_bag_of_words_is_clearly_worse_on_the_marked(reviews):
    """Ten-fold cross-validation over all 400; measured over five seeds: 0.79 to 0.84, and 0.19 to 0.27."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    right = []
    for seed in (0, 1):
        model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10))
        folds = StratifiedKFold(10, shuffle=True, random_state=seed)
        right.append(cross_val_predict(model, reviews.x, reviews.y, cv=folds) == reviews.y)
    right = np.mean(right, axis=0)
    for label in (0, 1):
        here = reviews.y == label
        assert right[here & ~reviews.marked].mean() > 0.75
        assert right[here & reviews.marked].mean() < 0.4


# ------------------------------------------------------------------------- the loader


@pytest.fixture
def file(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_FILE", tmp_path / "reviews.csv")
    return tmp_path / "reviews.csv"


def test_the_loader_says_where_the_reviews_came_from(capsys):
    bundle = data.reviews()
    assert capsys.readouterr().out == bundle.source + "\n"
    assert bundle.source == f"reviews: shipped with the course (400 reviews in 4 domains, {bundle.marked.sum()} marked)"
    assert bundle.y.dtype == int and bundle.groups.dtype.kind == "U" and isinstance(bundle.x, list)


def test_the_bundle_is_the_file_row_by_row(reviews):
    with (paths.ROOT / "data" / "reviews.csv").open(encoding="utf-8", newline="") as stored:
        rows = list(csv.DictReader(stored))
    assert [row["text"] for row in rows] == reviews.x
    assert [row["label"] for row in rows] == [reviews.classes[y] for y in reviews.y]
    assert [row["domain"] for row in rows] == list(reviews.groups)
    assert [row["marked"] == "yes" for row in rows] == list(reviews.marked)
    assert b"\r" not in (paths.ROOT / "data" / "reviews.csv").read_bytes()


def test_a_missing_file_is_named(file):
    with pytest.raises(FileNotFoundError, match=r"data/reviews\.csv is missing\. It is part of the repository"):
        data.reviews()


@pytest.mark.parametrize(
    "content, message",
    [
        ("", r"line 1: the columns must be text, label, domain, marked"),
        ("text,label\nGood.,positive\n", r"line 1: the columns must be text, label, domain, marked"),
        (HEADER + "Good.,positive,films,no\nBad.,negative,films\n", r"line 3: it has 3 of 4 columns"),
        (HEADER + "Good, really.,positive,films,no\n", r"line 2: it has 5 of 4 columns"),
        (HEADER + "\n", r"line 2: it has 0 of 4 columns"),
        (HEADER + " ,positive,films,no\n", r"line 2: its text is empty"),
        (HEADER + "Good.,good,films,no\n", r"line 2: its label is 'good', neither negative nor positive"),
        (HEADER + "Good.,positive,,no\n", r"line 2: its domain is empty"),
        (HEADER + "Good.,positive,films,maybe\n", r"line 2: marked is 'maybe', neither yes nor no"),
        (HEADER + '"Good.,positive,films,no\n', r"line 2: unexpected end of data"),
        (HEADER, r"line 1: no review follows"),
    ],
)
def test_a_malformed_row_is_named_with_its_line(file, content, message):
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^data/reviews\.csv, " + message + r"\.$"):
        data.reviews()


def test_text_that_is_not_utf8_is_named(file):
    file.write_bytes(HEADER.encode() + "Schön.,positive,films,no\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"^data/reviews\.csv, line \d: .*utf-8"):
        data.reviews()


def test_a_bundle_refuses_marks_of_another_length():
    with pytest.raises(ValueError, match="marked has 1 entries for 2 targets"):
        data.Bundle("b", "s", ["a", "b"], np.array([0, 1]), marked=np.array([True]))
