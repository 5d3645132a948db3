"""How long many documents take while everything dies: workers killed, servers restarted, Redis emptied.

    python -m bench.faults [DOCUMENTS]

It is the first test of `make faults` with more documents (1,000), and prints what it killed.
"""

import argparse
import os
import sys

import pytest

from deploy.places import REPO


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=int, nargs="?", default=1000)
    os.environ["AURA_FAULT_DOCUMENTS"] = str(parser.parse_args().documents)
    return int(pytest.main(["--timeout=7200", str(REPO / "tests" / "faults" / "test_two_hundred.py")]))


if __name__ == "__main__":
    sys.exit(main())
