"""Where the files of a stack lie, and under which names loaders know them; on both databases."""

from pathlib import Path

from indexer.catalog.database import open_catalog
from indexer.catalog.stack_files import stack_files
from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from tests.models import write_safetensors


def test_present_files_by_version(both: Settings, tmp_path: Path) -> None:
    library = tmp_path / "ComfyUI"
    one, other = library / "models" / "loras" / "style" / "ink.safetensors", library / "odd.safetensors"
    for path in (one, other):
        write_safetensors(path, metadata={"ss_output_name": path.stem})
    settings = both.model_copy(update={"unstable_seconds": 0})
    index_folders([library], settings, Silent())
    catalog = open_catalog(settings)
    with catalog.read() as session:
        found = stack_files(session, range(1, 10))
    files = [file for files in found.values() for file in files]
    loaders = {file.path: file.loader and (file.loader.category, file.loader.path) for file in files}
    assert loaders[str(one)] == ("loras", "style/ink.safetensors")
    one.unlink()
    index_folders([library], settings, Silent())
    with catalog.read() as session:
        left = [file.path for files in stack_files(session, range(1, 10)).values() for file in files]
    assert left == [str(other)]
    catalog.close()
