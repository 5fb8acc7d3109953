"""hubs, hashes, crawls and schedules

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from indexer.catalog import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ONE_OF_THREE = (
    "(CASE WHEN file_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN version_id IS NULL THEN 0 ELSE 1 END)"
    " + (CASE WHEN model_id IS NULL THEN 0 ELSE 1 END) = 1"
)


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "cached_answer",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("url", columns.CleanText(), nullable=False, comment="Without secrets"),
        sa.Column("etag", columns.CleanText(), nullable=True),
        sa.Column("last_modified", columns.CleanText(), nullable=True),
        sa.Column("at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cached_answer")),
        sa.UniqueConstraint("url", name=op.f("uq_cached_answer_url")),
    )
    op.create_table(
        "crawl",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column(
            "key", columns.CleanText(), nullable=False, comment="Digest of source, base URL and question"
        ),
        sa.Column("source", columns.CleanText(), nullable=False, comment="civitai, huggingface …"),
        sa.Column("base_url", columns.CleanText(), nullable=False),
        sa.Column("question", columns.CleanJSON(), nullable=False, comment="Parameters of the listing"),
        sa.Column(
            "cursor", columns.CleanText(), nullable=True, comment="Where to read on; null: at the start"
        ),
        sa.Column("state", columns.CleanText(), nullable=False, comment="running, waiting, done or failed"),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("code", columns.CleanText(), nullable=True, comment="Why it waits or failed"),
        sa.Column("detail", columns.CleanText(), nullable=True),
        sa.Column("started_at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column(
            "moved_at",
            columns.UTCDateTime(timezone=True),
            nullable=False,
            comment="When the last page was stored",
        ),
        sa.Column("finished_at", columns.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('running', 'waiting', 'done', 'failed')", name=op.f("ck_crawl_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crawl")),
        sa.UniqueConstraint("key", name=op.f("uq_crawl_key")),
    )
    op.create_table(
        "refused_item",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("source", columns.CleanText(), nullable=False),
        sa.Column(
            "key",
            columns.CleanText(),
            nullable=False,
            comment="The hub's id of the item, or a digest of its bytes",
        ),
        sa.Column("code", columns.CleanText(), nullable=False),
        sa.Column("detail", columns.CleanText(), nullable=False),
        sa.Column("raw", columns.CleanJSON(), nullable=True, comment="{value: the item as read}"),
        sa.Column("at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_item")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_refused_item_source_key")),
    )
    with op.batch_alter_table("refused_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refused_item_code"), ["code"], unique=False)

    op.create_table(
        "schedule",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("name", columns.CleanText(), nullable=False),
        sa.Column(
            "job", columns.CleanText(), nullable=False, comment="index, crawl, refresh, updates, upkeep …"
        ),
        sa.Column("arguments", columns.CleanJSON(), nullable=False),
        sa.Column(
            "trigger",
            columns.CleanText(),
            nullable=False,
            comment="A cron line of five fields, or 'every 6h'",
        ),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("next_at", columns.UTCDateTime(timezone=True), nullable=True, comment="When it is due"),
        sa.Column("started_at", columns.UTCDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", columns.UTCDateTime(timezone=True), nullable=True),
        sa.Column("result", columns.CleanText(), nullable=True, comment="ok, failed or stopped"),
        sa.Column(
            "detail", columns.CleanText(), nullable=True, comment="What the last run said, in a sentence"
        ),
        sa.Column("lease", columns.CleanText(), nullable=True, comment="Who runs it now"),
        sa.Column(
            "lease_until",
            columns.UTCDateTime(timezone=True),
            nullable=True,
            comment="When a silent runner counts as dead",
        ),
        sa.Column("added_at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.UniqueConstraint("name", name=op.f("uq_schedule_name")),
    )
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_schedule_next_at"), ["next_at"], unique=False)

    op.create_table(
        "hub_file",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("version_id", _BIG_ID, nullable=False),
        sa.Column("source", columns.CleanText(), nullable=False, comment="civitai, huggingface …"),
        sa.Column("key", columns.CleanText(), nullable=False, comment="The hub's own name of the file"),
        sa.Column("name", columns.CleanText(), nullable=False),
        sa.Column(
            "type",
            columns.CleanText(),
            nullable=True,
            comment="As the hub spells it: Model, VAE, Training Data …",
        ),
        sa.Column("size", sa.BigInteger(), nullable=True, comment="Bytes"),
        sa.Column("format", columns.CleanText(), nullable=True),
        sa.Column("precision", columns.CleanText(), nullable=True),
        sa.Column("primary", sa.Boolean(), nullable=False),
        sa.Column("url", columns.CleanText(), nullable=True),
        sa.Column("detail", columns.CleanJSON(), nullable=True, comment="All else that the hub says of it"),
        sa.Column(
            "gone_at",
            columns.UTCDateTime(timezone=True),
            nullable=True,
            comment="When the hub stopped to offer it",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_hub_file_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_file")),
        sa.UniqueConstraint("version_id", "source", "key", name=op.f("uq_hub_file_version_id_source_key")),
    )
    op.create_table(
        "hash",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column(
            "kind",
            columns.CleanText(),
            nullable=False,
            comment="sha256, autov1, autov2, autov3, blake3 or crc32",
        ),
        sa.Column("value", columns.CleanText(), nullable=False, comment="Lower-case hex"),
        sa.Column(
            "file_id",
            _BIG_ID,
            nullable=True,
            comment="Measured over this file",
        ),
        sa.Column(
            "hub_file_id",
            _BIG_ID,
            nullable=True,
            comment="Claimed for this file of a hub",
        ),
        sa.CheckConstraint("(file_id IS NULL) <> (hub_file_id IS NULL)", name=op.f("ck_hash_one_subject")),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_hash_file_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["hub_file_id"], ["hub_file.id"], name=op.f("fk_hash_hub_file_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hash")),
        sa.UniqueConstraint("file_id", "kind", name=op.f("uq_hash_file_id_kind")),
        sa.UniqueConstraint("hub_file_id", "kind", name=op.f("uq_hash_hub_file_id_kind")),
    )
    with op.batch_alter_table("hash", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hash_file_id"), ["file_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hash_hub_file_id"), ["hub_file_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hash_value"), ["value"], unique=False)

    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "model_id",
                _BIG_ID,
                nullable=True,
                comment="What it is about, when a whole model at a hub",
            )
        )
        batch_op.drop_constraint(batch_op.f("ck_claim_one_subject"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_claim_one_subject"), _ONE_OF_THREE)
        batch_op.create_index(batch_op.f("ix_claim_model_id"), ["model_id"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_claim_model_id_source_digest"), ["model_id", "source", "digest"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_claim_model_id"), "model", ["model_id"], ["id"], ondelete="CASCADE"
        )

    with op.batch_alter_table("file", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "linked",
                sa.Boolean(),
                server_default=sa.false(),
                nullable=False,
                comment="Its version was found by a hub's hash: claims beside it move it no more",
            )
        )

    with op.batch_alter_table("model", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("gone", columns.CleanText(), nullable=True, comment="archived, taken_down or deleted")
        )
        batch_op.add_column(
            sa.Column(
                "refreshed_at",
                columns.UTCDateTime(timezone=True),
                nullable=True,
                comment="When its hub was last heard about it",
            )
        )

    with op.batch_alter_table("preview", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "media",
                columns.CleanText(),
                server_default="image",
                nullable=False,
                comment="image, video or audio, as its source says",
            )
        )
        batch_op.add_column(
            sa.Column("blurhash", columns.CleanText(), nullable=True, comment="As its source says")
        )
        batch_op.add_column(
            sa.Column(
                "meta", columns.CleanJSON(), nullable=True, comment="What its hub says of how it was made"
            )
        )
        batch_op.add_column(
            sa.Column(
                "original",
                columns.CleanText(),
                nullable=True,
                comment="Name of the fetched file under home; null: on disk already, or not fetched",
            )
        )
        batch_op.create_index(
            "uq_preview_hub",
            ["version_id", "location"],
            unique=True,
            sqlite_where=sa.text("place_id IS NULL"),
            postgresql_where=sa.text("place_id IS NULL"),
        )

    with op.batch_alter_table("statistic", schema=None) as batch_op:
        batch_op.alter_column("version_id", existing_type=_BIG_ID, nullable=True)
        batch_op.add_column(
            sa.Column("model_id", _BIG_ID, nullable=True, comment="When the numbers are the model's")
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_statistic_one_subject"), "(model_id IS NULL) <> (version_id IS NULL)"
        )
        batch_op.create_index(batch_op.f("ix_statistic_model_id_at"), ["model_id", "at"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_statistic_model_id"), "model", ["model_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.add_column(sa.Column("favourites", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("comments", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("tips", sa.BigInteger(), nullable=True, comment="Civitai's tippedAmountCount")
        )

    with op.batch_alter_table("version", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("gone", columns.CleanText(), nullable=True, comment="archived, taken_down or deleted")
        )


def downgrade() -> None:
    """Backwards: what hubs said of whole models is lost."""
    op.execute("DELETE FROM claim WHERE model_id IS NOT NULL")
    op.execute("DELETE FROM statistic WHERE model_id IS NOT NULL")
    with op.batch_alter_table("version", schema=None) as batch_op:
        batch_op.drop_column("gone")

    with op.batch_alter_table("statistic", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_statistic_model_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_statistic_model_id_at"))
        batch_op.drop_constraint(batch_op.f("ck_statistic_one_subject"), type_="check")
        batch_op.drop_column("model_id")
        batch_op.alter_column("version_id", existing_type=_BIG_ID, nullable=False)
        batch_op.drop_column("tips")
        batch_op.drop_column("comments")
        batch_op.drop_column("favourites")

    with op.batch_alter_table("preview", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_preview_hub",
            sqlite_where=sa.text("place_id IS NULL"),
            postgresql_where=sa.text("place_id IS NULL"),
        )
        batch_op.drop_column("original")
        batch_op.drop_column("meta")
        batch_op.drop_column("blurhash")
        batch_op.drop_column("media")

    with op.batch_alter_table("model", schema=None) as batch_op:
        batch_op.drop_column("refreshed_at")
        batch_op.drop_column("gone")

    with op.batch_alter_table("file", schema=None) as batch_op:
        batch_op.drop_column("linked")

    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_claim_one_subject"), type_="check")
        batch_op.create_check_constraint(
            batch_op.f("ck_claim_one_subject"), "(file_id IS NULL) <> (version_id IS NULL)"
        )
        batch_op.drop_constraint(batch_op.f("fk_claim_model_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_claim_model_id_source_digest"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_claim_model_id"))
        batch_op.drop_column("model_id")

    with op.batch_alter_table("hash", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hash_value"))
        batch_op.drop_index(batch_op.f("ix_hash_hub_file_id"))
        batch_op.drop_index(batch_op.f("ix_hash_file_id"))

    op.drop_table("hash")
    op.drop_table("hub_file")
    with op.batch_alter_table("schedule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_schedule_next_at"))

    op.drop_table("schedule")
    with op.batch_alter_table("refused_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refused_item_code"))

    op.drop_table("refused_item")
    op.drop_table("crawl")
    op.drop_table("cached_answer")
