"""What a person sees and touches: JupyterLab as `make lab` starts it, in a real Chromium.

The story of a learner goes on from test to test, in the light theme; in the dark one, what it can change is looked at:
the page and a verdict on it. Each theme has its own copy of the course and its own server. Screenshots are kept in
build/screenshots.
"""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers import fill
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import TimeoutError, expect

from course_utils import course, paths
from course_utils.chapters import ch00
from course_utils.exercises import registry
from course_utils.maintain import browser, notebooks
from course_utils.plots import colour

pytestmark = [
    pytest.mark.notebooks,
    pytest.mark.skipif(os.name == "nt", reason="starts JupyterLab through make"),
]
SECONDS = 60
SHOTS = paths.ROOT / "build" / "screenshots"
TASKS = sum(task.key.startswith("00.") for task in registry())
MORE = "02_gradient_descent"  # in the copy: a short notebook with an explorer in place of the chapter
EXERCISE, PROGRESS = "ex.mean.check", "cu.exercises.progress.show"  # in the code of notebook 00


# ------------------------------------------------------------------ a copy, its server, and a page of it


EXPLORER = """
import course_utils as cu
import ipywidgets as widgets
import matplotlib.pyplot as plt

cu.start(42, tensorflow=False)


def picture(height, width):
    figure, ax = plt.subplots(figsize=(4, 2))
    ax.bar(range(width), [height] * width)
    return figure


height = widgets.IntSlider(value=3, min=1, max=9, description="height")
width = widgets.IntSlider(value=4, min=1, max=9, description="width")
cu.explore(picture, height, width, alt="A row of bars of equal height.")
""".strip()


def put_explorer(folder: Path, stem: str) -> None:
    """Put a notebook with two sliders in the place of a chapter of the copy."""
    cells = [new_markdown_cell(f"# {course.chapter(stem).heading}"), new_code_cell(EXPLORER)]
    notebooks.write(notebooks.normalise(new_notebook(cells=cells)), folder / "notebooks" / f"{stem}.ipynb")


@contextlib.contextmanager
def lab(folder: Path, home: Path, theme: str):
    """The address of a JupyterLab started by `make lab` in ``folder``, with nothing of this user's own settings."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": f"JupyterLab {theme}"}))
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")
    own = {name: str(home / name.lower()) for name in places}
    environment = os.environ | own | {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings")}
    environment.pop("COURSE_PROGRESS", None)
    # -o setup: the copy uses the packages of the environment that these tests run in.
    command = ["make", "-o", "setup", "lab", f"VENV_PYTHON={shlex.quote(sys.executable)}", "ARGS=--no-browser --port 0"]
    server = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    said, address, ready = [], [], threading.Event()

    def listen():
        for line in server.stdout:  # read to its end, or the server would stop at a full pipe
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/\S*token=\w+", line):
                address.append(found[0])
                ready.set()
        ready.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        ready.wait(SECONDS)
        assert address, "JupyterLab did not start:\n" + "".join(said[-20:])
        yield address[0]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
        listener.join(20)
        server.stdout.close()


def squeezed(text: str) -> str:
    """``text`` without the white space that an editor may add or show otherwise."""
    return "".join(text.replace("\u200b", "").split())


@dataclass
class Learner:
    """A page of JupyterLab, and what a learner does in it."""

    page: object
    theme: str
    folder: Path
    left: list  # requests that would have left the machine

    @property
    def book(self):
        """The notebook that is in front."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def heading(self, text: str):
        return self.book.get_by_role("heading", name=text)

    def cell(self, text: str):
        """The code cell with this text in its code."""
        return self.book.locator(".jp-CodeCell").filter(has=self.page.locator(".cm-content", has_text=text)).first

    def verdict(self, text: str):
        """The box that the checker puts under the cell with this text."""
        return self.cell(text).locator(".jp-OutputArea [role=status]")

    def outputs(self, kind: str) -> int:
        return self.book.locator(f'[data-mime-type="application/vnd.jupyter.{kind}"]').count()

    def colour(self, element, name: str) -> str:
        return element.evaluate(f"element => getComputedStyle(element).{name}")

    def menu(self, name: str, item: str) -> None:
        self.page.get_by_role("menuitem", name=name, exact=True).click()
        self.page.get_by_role("menuitem", name=item).first.click()

    def run_all(self, seconds: int = SECONDS) -> None:
        # A notebook just opened is "idle" with "No Kernel", and JupyterLab drops what it is told to run then.
        self.page.wait_for_function(
            "book => book.querySelector('.jp-Toolbar-kernelName')?.textContent.includes('Python')"
            " && book.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'",
            arg=self.book.element_handle(),
        )
        self.menu("Run", "Run All Cells")
        self.wait(busy=True)
        self.wait(busy=False, seconds=seconds)

    def restart_and_run_all(self) -> None:
        self.menu("Kernel", "Restart Kernel and Run All Cells")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.wait(busy=True)
        self.wait(busy=False)

    def wait(self, busy: bool, seconds: int = SECONDS) -> None:
        """Wait until some cell of the notebook in front has its asterisk (it computes or waits), or until none has."""
        try:
            self.page.wait_for_function(
                "([book, busy]) => busy === [...book.querySelectorAll('.jp-InputPrompt')]"
                ".some(prompt => prompt.textContent.includes('*'))",
                arg=[self.book.element_handle(), busy], timeout=seconds * 1000,
            )  # fmt: skip
        except TimeoutError:
            self.shot("timeout")
            raise

    def write(self, text: str, code: str) -> None:
        """Replace the code of the cell with this text by typing, and run it."""
        cell = self.cell(text)
        editor = cell.locator(".cm-content")
        for _ in range(3):  # on a busy machine the first key can arrive before the cell is in edit mode
            editor.click()
            expect(editor).to_be_focused()
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.insert_text(code)
            if squeezed(editor.inner_text()) == squeezed(code):
                break
            self.page.wait_for_timeout(1000)
        assert squeezed(editor.inner_text()) == squeezed(code), "the cell has another text than the one typed"
        self.run(cell)

    def run(self, cell) -> None:
        """Run this cell, which has the cursor, and wait for its end."""
        before = cell.locator(".jp-InputPrompt").text_content()
        for _ in range(3):
            self.page.keyboard.press("Control+Enter")
            with contextlib.suppress(AssertionError):
                expect(cell.locator(".jp-InputPrompt")).not_to_have_text(before)
                break
        self.wait(busy=False)

    def progress(self) -> str:
        """Run the cell that shows the progress; what it says."""
        cell = self.cell(PROGRESS)
        cell.locator(".cm-content").click()
        self.run(cell)
        cell.locator(".jp-OutputArea").scroll_into_view_if_needed()
        return cell.locator(".jp-OutputArea").text_content()

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{self.theme.lower()}-{name}.png")


@pytest.fixture(scope="class")
def learner(request, tmp_path_factory, chromium, copy_of_course):
    theme = request.cls.theme
    home = tmp_path_factory.mktemp("home")
    folder = copy_of_course(tmp_path_factory.mktemp("a course") / "with a space")
    put_explorer(folder, MORE)
    with lab(folder, home, theme) as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        left = browser.block_network(page)
        page.set_default_timeout(SECONDS * 1000)
        page.goto(address)
        yield Learner(page, theme, folder, left)


# ----------------------------------------------------------------------------------------- the story


def filled(how: str) -> str:
    """The cell of notebook 00's exercise with an answer in it, as a learner writes it."""
    nb = fill(notebooks.read(paths.NOTEBOOKS / "00_start_here.ipynb"), "00_start_here", how)
    return next(cell.source for cell in nb.cells if EXERCISE in cell.source)


def assert_opens(learner):
    learner.heading("0 · Start here").wait_for()
    ground = learner.colour(learner.book, "backgroundColor")
    assert (colour.luminance(ground) < 0.1) == (learner.theme == "Dark"), ground
    assert learner.page.get_by_role("button", name="No", exact=True).count() == 0, (
        "set-up answers JupyterLab's question"
    )
    assert learner.page.locator(".jp-Dialog").count() == 0
    learner.shot("1-start")


def assert_verdict_can_be_read(learner):
    box = learner.verdict(EXERCISE)
    ink, ground = learner.colour(box, "color"), learner.colour(box, "backgroundColor")
    assert colour.contrast(ink, ground) >= 4.5, (ink, ground)


class TestStory:
    """One learner, from the first page to a second visit. Each step stands on the one before."""

    theme = "Light"

    def test_the_first_notebook_opens(self, learner):
        assert_opens(learner)

    def test_links_lead_to_the_next_chapter_and_back(self, learner):
        learner.book.get_by_role("link", name="Core concepts").first.click()
        learner.heading("1 · Core concepts").wait_for()
        learner.shot("2-next-chapter")
        learner.book.get_by_role("link", name="Start here").first.click()
        learner.heading("0 · Start here").wait_for()

    def test_all_cells_run(self, learner):
        learner.run_all()
        prompts = learner.book.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents()
        shown = [text.strip() for text in prompts if text.strip()]  # a folded cell shows none
        assert len(shown) > len(prompts) / 2 and all(re.fullmatch(r"\[\d+\]:", text) for text in shown), prompts
        assert learner.outputs("stderr") == learner.outputs("error") == 0

    def test_a_blank_answer_is_no_attempt(self, learner):
        assert "○ not attempted" in learner.verdict(EXERCISE).text_content()

    def test_a_wrong_answer_is_told_what_to_look_at(self, learner):
        learner.write(EXERCISE, filled("sabotaged"))
        box = learner.verdict(EXERCISE)
        box.filter(has_text="not yet").wait_for()
        assert ch00.mean.mistakes[0].says in box.text_content()
        box.scroll_into_view_if_needed()
        learner.shot("3-wrong")
        assert f"chapter 00: 0 of {TASKS} solved" in learner.progress()

    def test_a_right_answer_is_right_and_counts(self, learner):
        learner.write(EXERCISE, filled("solved"))
        box = learner.verdict(EXERCISE)
        box.filter(has_text="✓ correct").wait_for()
        box.scroll_into_view_if_needed()
        learner.shot("4-right")
        assert f"chapter 00: 1 of {TASKS} solved" in learner.progress()
        learner.shot("5-progress")

    def test_the_verdict_can_be_read(self, learner):
        assert_verdict_can_be_read(learner)

    def test_progress_is_there_after_a_reload(self, learner):
        learner.page.keyboard.press("Escape")
        learner.page.keyboard.press("ControlOrMeta+s")
        learner.page.wait_for_timeout(1000)
        learner.page.reload()
        learner.heading("0 · Start here").wait_for()
        learner.restart_and_run_all()
        assert f"chapter 00: 1 of {TASKS} solved" in learner.progress()
        assert "✓ correct" in learner.verdict(EXERCISE).text_content()  # what was typed has been saved too
        learner.shot("6-second-visit")

    def test_a_slider_moves_the_figure_by_keyboard_alone(self, learner):
        learner.page.get_by_role("listitem", name=f"Name: {MORE}.ipynb").dblclick()
        learner.heading("2 · Gradient descent").wait_for()
        learner.run_all()
        sliders = learner.book.get_by_role("slider")
        assert sliders.count() >= 2
        sliders.first.scroll_into_view_if_needed()
        figure = learner.cell("def picture").locator(".jp-OutputArea img").last
        before = figure.get_attribute("src")
        sliders.first.focus()
        learner.page.keyboard.press("ArrowRight")
        expect(figure).not_to_have_attribute("src", before)
        learner.shot("7-slider")
        learner.page.keyboard.press("Tab")  # the number beside the slider: it can be typed into
        learner.page.keyboard.press("Tab")
        expect(sliders.nth(1)).to_be_focused()

    def test_nothing_was_asked_of_the_network(self, learner):
        assert learner.left == []


class TestDark:
    """What a theme can change: the ground, and whether a verdict can be read on it."""

    theme = "Dark"

    def test_the_first_notebook_opens(self, learner):
        assert_opens(learner)

    def test_a_verdict_can_be_read(self, learner):
        learner.run_all()
        assert "○ not attempted" in learner.verdict(EXERCISE).text_content()
        assert_verdict_can_be_read(learner)
        learner.write(EXERCISE, filled("sabotaged"))
        learner.verdict(EXERCISE).filter(has_text="not yet").wait_for()
        assert_verdict_can_be_read(learner)
        learner.shot("3-wrong")
