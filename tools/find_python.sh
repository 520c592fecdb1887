#!/bin/sh
# Prints the Python that sets the course up: the one that is named in $PYTHON, else the base of .venv, else the first on
# the path that runs and is recent enough. Each candidate is run: a name on the path may be an empty shim.
# Usage: find_python.sh PATH_OF_VENV_PYTHON
suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }
needs='The course needs Python 3.11, 3.12 or 3.13'
advice="install one (python.org or your system's packages), or name it: make setup PYTHON=/path/to/python3.12"

if [ -n "${PYTHON:-}" ]; then
    suits "$PYTHON" || { echo "$needs, and $PYTHON is not one of them: $advice" >&2; exit 1; }
    echo "$PYTHON"
    exit
fi
# The base one, because .venv cannot always replace itself.
base=$("$1" -c 'import sys; print(getattr(sys, "_base_executable", "") or sys.executable)' 2>/dev/null)
for name in "$base" python3.12 python3.13 python3.11 python3 python py; do
    if [ -n "$name" ] && suits "$name"; then
        echo "$name"
        exit
    fi
done
echo "$needs: $advice" >&2
exit 1
