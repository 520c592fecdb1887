"""The plan of the course: its chapters in reading order. README and the first notebook show it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course_utils import paths

WORDS_A_MINUTE, CODE_LINES_A_MINUTE = 150, 10
EXERCISE_MINUTES, QUESTION_MINUTES = 5, 1
FOLD = "fold"  # the tag of a code cell that a learner need not read
_DEEPER = "going deeper"  # in the heading of a section that is not part of the short route
_CHECK = re.compile(r"^ex\.(\w+)\.(?:check|guess)\(", re.MULTILINE)


@dataclass(frozen=True)
class Chapter:
    """One notebook.

    Attributes:
        stem: the file's name without its ending; it begins with the number.
        title: English title.
        chinese: the title's key term in Chinese, as the source document has it; may be empty.
        sections: which sections of the source document it covers; may be empty.
        needs: the numbers of the chapters that it builds on, all of them earlier; the opening names them.
        builds: one sentence: what you build and find out.
    """

    stem: str
    title: str
    chinese: str
    sections: str
    needs: tuple[str, ...]
    builds: str

    @property
    def number(self) -> str:
        return self.stem[:2]

    @property
    def path(self) -> Path:
        return paths.NOTEBOOKS / f"{self.stem}.ipynb"

    @property
    def available(self) -> bool:
        """Whether the notebook is part of this copy."""
        return self.path.is_file()

    @property
    def time(self) -> Time | None:
        """How long the notebook takes, computed from it; None where it is missing or damaged."""
        try:
            stamp = self.path.stat()
            return _time_of(self.path, stamp.st_mtime_ns, stamp.st_size)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    @property
    def heading(self) -> str:
        """The notebook's first heading."""
        return f"{int(self.number)} · {self.title}" + (f" ({self.chinese})" if self.chinese else "")


CHAPTERS = (
    Chapter("00_start_here", "Start here", "", "", (), "your machine checked, how a lesson works, the map"),
    Chapter("01_core_concepts", "Core concepts", "核心概念", "1, 2", (),
            "what makes a model large, in numbers; a ten-second taste of each kind of network"),
    Chapter("02_gradient_descent", "Gradient descent", "梯度下降", "3", (),
            "from the update rule to Adam, equal to Keras step for step"),
    Chapter("03_backpropagation", "Backpropagation", "反向传播", "3", ("02",),
            "a small automatic differentiator; a network in NumPy that reads handwritten digits"),
    Chapter("04_convolution_and_pooling", "Convolution and pooling", "卷积与池化", "3", ("03",),
            "a sliding window, forward and backward; digits that stand anywhere, read"),
    Chapter("05_recurrent_networks", "Recurrent networks", "循环神经网络", "3", ("02", "03"),
            "RNN, LSTM and GRU cells from scratch; how far back each remembers"),
    Chapter("06_language_tasks", "Language tasks", "自然语言处理任务", "2, 3", ("02", "03", "04", "05"),
            "tokens, embeddings, sentiment, and a translator with attention"),
    Chapter("07_speech_recognition", "Speech recognition", "语音识别", "2", ("04", "05"),
            "from sound waves to spoken digits, on voices never heard before"),
    Chapter("08_text_classifier", "The text classifier", "文本分类", "4", (),
            "the document's project, whole and honest: why 98 % is not true"),
    Chapter("09_from_tensorflow_1_to_2", "From TensorFlow 1 to 2", "", "4", ("08",),
            "why the document's listing cannot run, and what each line became"),
    Chapter("10_overfitting", "Overfitting", "过拟合", "6", ("02", "03"),
            "made on purpose, measured, and every remedy tried"),
    Chapter("11_choosing_an_architecture", "Choosing an architecture", "选择架构", "6",
            ("03", "04", "05", "06", "10"),
            "six kinds of model on four kinds of data, at equal budgets"),
    Chapter("12_smaller_and_faster", "Smaller and faster", "优化性能", "6", ("04", "05", "08"),
            "quantisation, distillation, pruning: size, speed and accuracy, measured together"),
    Chapter("13_language_model", "Your first language model", "大模型", "1, 5", ("02", "03", "06", "08"),
            "a transformer from nothing but matrix products, trained in a minute or two"),
    Chapter("14_scaling_up", "Scaling up", "规模", "5", ("01", "13"),
            "power laws, memory, two workers, and the same plan for 10¹² parameters"),
    Chapter("15_fusing_modalities", "Fusing modalities", "跨领域的融合", "5", ("03", "07", "10"),
            "written and spoken digits together: say a digit, find its picture"),
    Chapter("16_privacy", "Data privacy", "隐私保护", "5", ("03", "10"),
            "an attack on a trained model, and training that resists it"),
    Chapter("17_interpretability", "Interpretability", "可解释性", "5", ("03", "04", "08"),
            "explanations of a model's answers, and tests that they can fail"),
)  # fmt: skip


def chapter(stem: str) -> Chapter:
    """The chapter of a notebook. Raises KeyError for a notebook that is not in the plan."""
    for one in CHAPTERS:
        if one.stem == stem:
            return one
    raise KeyError(stem)


# ------------------------------------------------------------------------------------- times


@dataclass(frozen=True)
class Time:
    """Minutes of work on a chapter, rounded to five.

    Attributes:
        route: without the sections that go deeper.
        whole: with them.
    """

    route: int
    whole: int

    def __str__(self) -> str:
        return f"{self.route} min" + ("" if self.whole == self.route else f" ({self.whole} with all)")

    @property
    def sentence(self) -> str:
        """What a notebook's opening says after ``**Time:**``."""
        more = "" if self.whole == self.route else f" ({self.whole} with what goes deeper)"
        return f"about {self.route} minutes{more}"


def working_time(cells: Iterable[dict]) -> Time:
    """How long a notebook takes to read and try.

    Words of the text and of the sentences that cells show, visible lines of code, exercises and questions each have
    their time (the constants above). A cell tagged ``fold`` costs nothing. A section whose heading contains
    "Going deeper" belongs to the whole only, up to the next heading of its level or above.

    Args:
        cells: of a notebook in format 4.
    """
    route = whole = 0.0
    depth = 0  # the level of the heading that went deeper; 0 on the short route
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and (heading := re.match(r"(#+) (.*)", source)):
            level = len(heading[1])
            if not depth or level <= depth:
                depth = level if _DEEPER in heading[2].lower() else 0
        minutes = _minutes(cell, source)
        whole += minutes
        route += 0 if depth else minutes
    return Time(*(max(5, 5 * round(minutes / 5)) for minutes in (route, whole)))


def _minutes(cell: dict, source: str) -> float:
    if cell["cell_type"] == "markdown":
        return words(source) / WORDS_A_MINUTE
    if cell["cell_type"] != "code":
        return 0.0
    sentences = (output.get("data", {}).get("text/markdown", "") for output in cell.get("outputs", ()))
    minutes = sum(words("".join(text)) for text in sentences) / WORDS_A_MINUTE
    if FOLD not in cell.get("metadata", {}).get("tags", ()):
        minutes += len(source.splitlines()) / CODE_LINES_A_MINUTE
    names = set(_CHECK.findall(source))
    return minutes + sum(QUESTION_MINUTES if name.startswith(("q_", "p_")) else EXERCISE_MINUTES for name in names)


def words(text: str) -> int:
    """How many words a Markdown text has; a formula counts by its spaces, an address not at all."""
    return len(re.sub(r"\]\([^)\s]*\)|<!--.*?-->|^\|[-:| ]+\|$", " ", text, flags=re.DOTALL | re.MULTILINE).split())


@functools.cache
def _time_of(path: Path, modified: int, size: int) -> Time:
    return working_time(json.loads(path.read_text(encoding="utf-8"))["cells"])


# ------------------------------------------------------------------------------ links and the map


def neighbours(stem: str) -> tuple[Chapter | None, Chapter | None]:
    """The chapters before and after this one, of those that are available; None at either end.

    Raises:
        KeyError: no chapter is called so.
    """
    chapters = [one for one in CHAPTERS if one.available or one.stem == stem]
    place = chapters.index(chapter(stem))
    return (chapters[place - 1] if place else None), (chapters[place + 1] if place + 1 < len(chapters) else None)


def navigation(stem: str) -> str:
    """The line of links under a notebook's heading."""
    before, after = neighbours(stem)
    links = [f"← [{before.title}]({before.stem}.ipynb)"] if before else []
    if stem != CHAPTERS[0].stem and before is not CHAPTERS[0]:
        links.append(f"[Contents]({CHAPTERS[0].stem}.ipynb)")
    links += [f"[{after.title}]({after.stem}.ipynb) →"] if after else []
    return " · ".join(links)


def map_markdown(folder: str = "") -> str:
    """All chapters as a Markdown table; those that are available are links.

    Args:
        folder: what stands before a notebook's name in a link, such as ``notebooks/``.
    """
    lines = [
        "| no. | chapter | time | builds on | section | what you build and find out |",
        "|---|---|---|---|---|---|",
    ]
    for one in CHAPTERS:
        name = f"[{one.title}]({folder}{one.stem}.ipynb)" if one.available else f"{one.title} *(planned)*"
        chinese = f" {one.chinese}" if one.chinese else ""
        needs = ", ".join(one.needs)
        lines.append(f"| {one.number} | {name}{chinese} | {one.time or ''} | {needs} | {one.sections} | {one.builds} |")
    return "\n".join(lines)


def edges() -> list[tuple[str, str]]:
    """Which chapter leads to which, as pairs of numbers, without those that a way over another chapter implies."""
    before = {}
    for one in CHAPTERS:  # in reading order: what a chapter needs is known already
        before[one.number] = set(one.needs).union(*(before[number] for number in one.needs))
    return [
        (number, one.number)
        for one in CHAPTERS
        for number in one.needs
        if not any(number in before[other] for other in one.needs)
    ]


def map_mermaid() -> str:
    """The same pairs as a Mermaid flowchart in Markdown: repository sites draw it."""
    joined = sorted({number for pair in edges() for number in pair})
    titles = {one.number: one.title for one in CHAPTERS}
    boxes = [f'    {number}["{number} {titles[number]}"]' for number in joined]
    arrows = [f"    {start} --> {end}" for start, end in edges()]
    return "\n".join(["```mermaid", "flowchart LR", *boxes, *arrows, "```"])
