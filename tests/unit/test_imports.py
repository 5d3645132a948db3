"""What import-linter does not see: what a process really loads, and who reads the environment."""

import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
HEAVY = ("unstructured", "onnxruntime", "tesserocr", "faster_whisper", "pypdfium2", "piper", "spacy", "openai")
ENVIRONMENT = re.compile(r"\bos\.environ\b|\bgetenv\b")


def test_the_web_process_loads_no_model_and_no_parser() -> None:
    code = f"import api, sys; api.create_app(); print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(path.relative_to(REPO))
        for package in ("schemas", "pipelines", "workers", "api")
        for path in (REPO / package).rglob("*.py")
        if ENVIRONMENT.search(path.read_text())
    }
    assert readers <= {"schemas/settings.py"}
