"""how pictures were made

Revision 0004, after 0003. No release wrote generation records before it, so their tables are made anew.
"""

import sqlalchemy as sa
from alembic import op

from indexer.catalog import columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forwards."""
    _drop_records()
    op.add_column(
        "preview",
        sa.Column(
            "told", sa.Boolean(), nullable=True, comment="Whether it says how it was made; null: not read yet"
        ),
    )
    untold = sa.text("told IS NULL")
    op.create_index("ix_preview_untold", "preview", ["id"], sqlite_where=untold, postgresql_where=untold)
    op.create_table(
        "generation_record",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("preview_id", _BIG_ID, nullable=False),
        sa.Column("generator", columns.CleanText(), nullable=True),
        sa.Column("prompt", columns.CleanText(), nullable=True),
        sa.Column("negative_prompt", columns.CleanText(), nullable=True),
        sa.Column("seed", columns.CleanText(), nullable=True, comment="Text: seeds exceed 64 bits"),
        sa.Column("steps", sa.Integer(), nullable=True),
        sa.Column("sampler", columns.CleanText(), nullable=True),
        sa.Column("scheduler", columns.CleanText(), nullable=True),
        sa.Column("cfg", sa.Float(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True, comment="Pixels asked for"),
        sa.Column("height", sa.Integer(), nullable=True, comment="Pixels asked for"),
        sa.Column(
            "detail",
            columns.CleanJSON(),
            nullable=False,
            comment="Version of the tool, warnings, and what was not understood where that is short",
        ),
        *_of_record(),
    )
    op.create_table(
        "resource_use",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("record_id", _BIG_ID, nullable=False),
        sa.Column(
            "version_id",
            _BIG_ID,
            nullable=True,
            comment="Which of our versions it is; null: unknown or ambiguous",
        ),
        sa.Column("kind", columns.CleanText(), nullable=False),
        sa.Column("name", columns.CleanText(), nullable=True, comment="As the picture spells it"),
        sa.Column(
            "stem", columns.CleanText(), nullable=True, comment="domain.generation.model_stem of the name"
        ),
        sa.Column("hash", columns.CleanText(), nullable=True, comment="Lower-case hex, of any length"),
        sa.Column("hub_version", columns.CleanText(), nullable=True, comment="Civitai's id of the version"),
        sa.Column("weight", sa.Float(), nullable=True),
        sa.Column(
            "confidence", sa.Float(), nullable=False, comment="1 by hash or hub id; lower by name; 0 unlinked"
        ),
        *_of_use(),
    )
    for name in ("record_id", "hash", "hub_version", "stem"):
        op.create_index(op.f(f"ix_resource_use_{name}"), "resource_use", [name])
    op.create_index(op.f("ix_resource_use_version_id_record_id"), "resource_use", ["version_id", "record_id"])
    op.create_table(
        "version_alias",
        sa.Column(
            "alias",
            columns.CleanText(),
            nullable=False,
            comment="name:STEM of a file, civitai:VERSION or autov2:HASH",
        ),
        sa.Column("version_id", _BIG_ID, nullable=False),
        sa.Column("kind", columns.CleanText(), nullable=False),
        sa.Column("here", sa.Boolean(), nullable=False, comment="A file of ours is called so"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_version_alias_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alias", "version_id", name=op.f("pk_version_alias")),
    )
    op.create_index(op.f("ix_version_alias_version_id"), "version_alias", ["version_id"])


def downgrade() -> None:
    """Backwards: the records are read again after the next way forwards."""
    op.drop_table("version_alias")
    _drop_records()
    op.drop_index("ix_preview_untold", table_name="preview")
    op.drop_column("preview", "told")
    op.execute("DELETE FROM watermark WHERE name = 'generation'")
    op.create_table(
        "generation_record",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("preview_id", _BIG_ID, nullable=False),
        sa.Column("generator", columns.CleanText(), nullable=True),
        sa.Column("prompt", columns.CleanText(), nullable=True),
        sa.Column("negative_prompt", columns.CleanText(), nullable=True),
        sa.Column("seed", columns.CleanText(), nullable=True, comment="Text: seeds exceed 64 bits"),
        sa.Column(
            "detail",
            columns.CleanJSON(),
            nullable=False,
            comment="Steps, sampler, cfg, size … and everything unread",
        ),
        *_of_record(),
    )
    op.create_table(
        "resource_use",
        sa.Column("id", _BIG_ID, nullable=False),
        sa.Column("record_id", _BIG_ID, nullable=False),
        sa.Column("version_id", _BIG_ID, nullable=True),
        sa.Column("kind", columns.CleanText(), nullable=False),
        sa.Column("name", columns.CleanText(), nullable=True),
        sa.Column("hash", columns.CleanText(), nullable=True),
        sa.Column("weight", sa.Float(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False, comment="1 by hash or hub id; lower by name"),
        *_of_use(),
    )
    for name in ("record_id", "hash", "version_id"):
        op.create_index(op.f(f"ix_resource_use_{name}"), "resource_use", [name])


def _drop_records() -> None:
    op.drop_table("resource_use")
    op.drop_table("generation_record")


def _of_record() -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(
            ["preview_id"], ["preview.id"], name=op.f("fk_generation_record_preview_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation_record")),
        sa.UniqueConstraint("preview_id", name=op.f("uq_generation_record_preview_id")),
    )


def _of_use() -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["generation_record.id"],
            name=op.f("fk_resource_use_record_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_resource_use_version_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_use")),
    )
