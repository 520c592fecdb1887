"""``python -m course_utils COMMAND``: the course on the command line."""

import sys

from course_utils.maintain.cli import main

if __name__ == "__main__":
    sys.exit(main())
