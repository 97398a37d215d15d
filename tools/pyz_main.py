"""`__main__` of `lambdatop.pyz`; it must parse in old Pythons too, to tell them what is wrong."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("lambdatop needs Python 3.11 or newer, this is " + sys.version.split()[0])

if __name__ == "__main__":
    from pyz_start import start

    sys.exit(start())
