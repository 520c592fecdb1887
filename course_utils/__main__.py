"""``python -m course_utils COMMAND``: the course on the command line."""

import sys
import warnings

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of the tools, for their authors; PYTHONWARNINGS=error would make them errors
    from course_utils.maintain.cli import main

    sys.exit(main())
