"""One frozen ``Settings``, read once from the environment (``PINAKES_*``); nothing else reads it.

Secrets are ``SecretStr`` so that they never show in a ``repr``, a log line or an answer.
"""

import os
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from indexer.errors import CatalogError, UsageError

__all__ = ["TOOL_VARIABLES", "Settings", "read_settings"]

TOOL_VARIABLES = (
    "SD_MODELSDIR",
    "SD_DATADIR",
    "SD_LORADIR",
    "SD_VAEDIR",
    "SD_EMBEDDINGSDIR",
    "INVOKEAI_ROOT",
    "COMFYUI_PATH",
    "HF_HUB_CACHE",
    "HF_HOME",
)
"""Variables by which other tools are told where models lie; ``libraries.toml`` says what each means."""


def _tool_folders() -> dict[str, str]:
    return {name: value for name in TOOL_VARIABLES if (value := os.environ.get(name, "").strip())}


class Settings(BaseSettings):
    """Where things are kept and how far work may go. Every field has a ``PINAKES_`` variable."""

    model_config = SettingsConfigDict(env_prefix="PINAKES_", frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("pinakes", appauthor=False)),
        description="Folder of the catalog, the indexes and the thumbnails; never inside a model folder",
    )
    database_url: SecretStr | None = Field(
        default=None, description="SQLAlchemy URL of a PostgreSQL catalog; without it SQLite under home"
    )
    meilisearch_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+",
        description="URL of a Meilisearch server that searches words; without it the embedded engine does",
    )
    meilisearch_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("MEILI_MASTER_KEY", "meilisearch_key"),
        description="Key of that server, under the name that the server itself reads",
    )
    meilisearch_index: str = Field(
        default="pinakes",
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="Name of the index at that server; each library needs its own",
    )
    clip_model: str = Field(
        default="ViT-B-32",
        description="open_clip model name of the semantic vectors; docs/clip.md compares the choices",
    )
    clip_pretrained: str | None = Field(
        default=None,
        description="open_clip weights tag, or path of a local weights file; empty: no words-to-image",
    )
    style_encoder: Path | None = Field(
        default=None,
        description="Local .safetensors file of a network that sees style, such as CSD (docs/clip.md)",
    )
    style_encoder_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="How much that network counts beside the descriptor without weights; 1: it alone",
    )
    style_prompts: bool = Field(
        default=True, description="Take out of a picture's style what the words of its prompt explain"
    )
    unstable_seconds: float = Field(
        default=60.0,
        description="A damaged file changed less than this long ago counts as still being written",
    )
    batch_size: int = Field(default=200, ge=1, le=10_000, description="Files per catalog transaction")
    decode_workers: int = Field(
        default_factory=lambda: max(1, min(4, os.cpu_count() or 1)),
        ge=1,
        le=64,
        description="Processes that decode previews",
    )
    read_weights: bool = Field(
        default=True, description="Read adapters whole, once: finds broken ones and near-duplicates"
    )
    show_adult: bool = Field(default=False, description="Show adult entries unless a query says otherwise")
    show_people: bool = Field(
        default=False, description="Show entries of real persons and minor-flagged ones"
    )
    civitai_url: str = Field(default="https://civitai.com", description="Base URL of Civitai's API")
    civitai_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("CIVITAI_API_KEY", "CIVITAI_TOKEN", "CIVITAI_API_TOKEN"),
        description="Key for Civitai's API, under the names its own tools read",
    )
    huggingface_url: str = Field(default="https://huggingface.co", description="Base URL of the Hub")
    huggingface_token: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
        description="Token for the Hugging Face Hub, under the names its own tools read",
    )
    requests_per_second: float = Field(
        default=4.0, gt=0, le=1_000, description="Most requests a second to one host"
    )
    allow_hosts: str = Field(
        default="",
        description="Hosts of the own machine or network that may be read from: host:port, comma-separated",
    )
    preview_budget: int = Field(
        default=2 << 30, ge=0, description="Most bytes of fetched previews to keep under home; 0: fetch none"
    )
    tool_folders: dict[str, str] = Field(
        default_factory=_tool_folders,
        description="Folders that other tools' own variables name (SD_MODELSDIR, HF_HOME …), by variable",
    )
    host: str = Field(default="127.0.0.1", description="Address that `pinakes serve` binds to")
    token: SecretStr | None = Field(
        default=None, description="Secret that every request must show; needed when host is not loopback"
    )
    port: int = Field(default=7870, ge=0, le=65_535, description="Port that `pinakes serve` binds to")
    serve_files: bool = Field(
        default=False, description="Let programs download model files of the library from `pinakes serve`"
    )

    @cached_property
    def catalog_url(self) -> str:
        """SQLAlchemy URL of the catalog; holds a password when PostgreSQL is used: never print it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'catalog.sqlite3'}"

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """``allow_hosts`` taken apart."""
        return tuple(host.strip() for host in self.allow_hosts.split(",") if host.strip())

    @property
    def text_folder(self) -> Path:
        """Folder of the tantivy index."""
        return self.home / "text"

    @property
    def vector_folder(self) -> Path:
        """Folder of the vector indexes, one subfolder a vector space."""
        return self.home / "vectors"

    @property
    def gist_folder(self) -> Path:
        """Folder of what move plans compare."""
        return self.home / "gist"

    @property
    def prompt_cuts_file(self) -> Path:
        """What pasted prompts are compared with."""
        return self.home / "prompts.sqlite3"

    @property
    def prompt_makers_file(self) -> Path:
        """Which creators write which words in prompts."""
        return self.home / "prompt_makers.sqlite3"

    @property
    def text_ledger_file(self) -> Path:
        """What a Meilisearch server would take long to tell."""
        return self.home / "ledger.sqlite3"

    def style_space_file(self, key: str) -> Path:
        """Where the space that was fitted for a style index lies; ``key`` is that index's identity."""
        return self.vector_folder / f"space-{key}.npz"

    @property
    def thumbnail_folder(self) -> Path:
        """Folder of re-encoded previews, named by content."""
        return self.home / "thumbnails"

    @property
    def fetched_folder(self) -> Path:
        """Folder of pictures fetched from hubs, named by content."""
        return self.home / "fetched"

    def prepare_home(self) -> None:
        """Make the home folder, private to its owner.

        Raises ``CatalogError`` (``home_unwritable``) with the path and the way out.
        """
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Without a name: several commands and threads may try at the same moment.
            with TemporaryFile(dir=self.home, buffering=0) as probe:
                probe.write(b"x")
        except OSError as error:
            raise CatalogError(
                "home_unwritable",
                f"Pinakes keeps its catalog in {self.home}, which cannot be written ({error.strerror}). "
                "Free some space or name another folder with --home FOLDER or PINAKES_HOME.",
            ) from error


def read_settings(home: Path | None = None) -> Settings:
    """Read the environment once; ``home`` (from ``--home``) wins over it.

    Raises ``UsageError`` (``setting``) that names the variable at fault.
    """
    try:
        settings = Settings() if home is None else Settings(home=home)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "PINAKES_" + "_".join(str(part) for part in first["loc"]).upper()
        raise UsageError("setting", f"The setting {name} cannot be used: {first['msg']}.") from error
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})
