"""Binder reads this repository as it is meant: repo2docker is asked what it would build."""

import os
import shutil
import subprocess
import sys

import pytest

from course_utils import paths
from course_utils.maintain import lock


@pytest.mark.skipif(os.name == "nt", reason="repo2docker does not run on Windows")
def test_what_repo2docker_would_build(tmp_path):
    for path in paths.ROOT.iterdir():  # it looks at the top folder
        if path.is_file():
            shutil.copy2(path, tmp_path / path.name)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--user-id", "1000", "--user-name", "me"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-500:]
    assert f"Building conda environment for python={lock.CONDA_PYTHON}" in said
    assert '--file "environment.yml"' in said
    assert "RUN ./postBuild" in said
    assert "requirements.txt" not in said and "setup.py" not in said, "another file would decide what is installed"
