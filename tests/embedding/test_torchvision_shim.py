"""open_clip can be imported, whichever build of torchvision stands beside torch."""

import subprocess
import sys
from pathlib import Path

from indexer.embedding.torchvision_shim import import_open_clip


def test_open_clip_is_imported_and_stays_so() -> None:
    assert import_open_clip() is import_open_clip()
    assert import_open_clip().list_models()


def test_no_warning_of_another_library_gets_out() -> None:
    code = "from indexer.embedding.torchvision_shim import import_open_clip; import_open_clip()"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_other_faults_are_not_swallowed(tmp_path: Path) -> None:
    (tmp_path / "open_clip").mkdir()
    (tmp_path / "open_clip" / "__init__.py").write_text(
        "raise RuntimeError('another fault')", encoding="utf-8"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from indexer.embedding.torchvision_shim import import_open_clip\n"
        "try: import_open_clip()\n"
        "except RuntimeError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "another fault"
