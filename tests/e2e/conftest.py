"""Fixtures shared by all end-to-end tests; the servers' own are in servers.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
