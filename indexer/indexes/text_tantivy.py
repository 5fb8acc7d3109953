"""The text index: tantivy, embedded. Disposable; every field and tokeniser setting follows from ``FIELDS``.

Text is cut into words by ``domain.text.words`` before it gets here, so the engine only splits at blanks: what
a query means does not depend on the engine. Tantivy is chosen for its speed (about 1 ms a query at a million
documents) and small index.
"""

import json
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy

from indexer.domain.fields import FIELDS, Field, FieldType
from indexer.domain.filters import And, AnyOf, Filter, Not, Or, Range, Words, keyword, values_of
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.errors import CatalogError
from indexer.indexes.text import TextHits, TextQuery

__all__ = ["FORMAT", "TantivyIndex"]

FORMAT = 1
"""Number of this layout; an index of another format is built anew."""

_TEXTUAL = (FieldType.TEXT,)
_KEYWORDS = (FieldType.KEYWORD, FieldType.TREE, FieldType.FLAG)
_NUMERIC = (FieldType.NUMBER, FieldType.SIZE)
_DAY_ZERO = "0000-00-00"


class TantivyIndex:
    """A tantivy index in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schema = _schema()
        self._index = self._open()

    def _open(self) -> Any:
        """Open the index, or start an empty one when it is absent, damaged or of another format."""
        marker = self.folder / "format.json"
        if not _format().items() <= _read_format(marker).items():
            shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            index = tantivy.Index(self.schema, path=str(self.folder))
        except (OSError, ValueError) as error:
            raise CatalogError(
                "text_index",
                f"The text index in {self.folder} cannot be opened ({error}). "
                "Free some space if the disk is full; else run: pinakes rebuild",
            ) from error
        if not marker.is_file():
            marker.write_text(json.dumps(_format() | {"generation": uuid.uuid4().hex}), "utf-8")
        index.register_tokenizer("blank", _blank())
        return index

    @property
    def generation(self) -> str:
        """Changes when the index is started anew; a catalog that knows another fills it again."""
        return str(_read_format(self.folder / "format.json").get("generation", ""))

    def count(self) -> int:
        """How many documents the index holds."""
        self._index.reload()
        return int(self._index.searcher().num_docs)

    @contextmanager
    def writing(self) -> Iterator["TantivyWriter"]:
        """Write a batch; all of it is committed at the end, or nothing when it fails."""
        try:
            writer = self._index.writer(heap_size=64_000_000, num_threads=1)
        except ValueError as error:
            raise CatalogError(
                "text_index", f"The text index in {self.folder} cannot be written: {error}."
            ) from error
        try:
            yield TantivyWriter(self.schema, writer)
            writer.commit()
            writer.wait_merging_threads()
        except ValueError as error:
            raise CatalogError(
                "text_index",
                f"Writing the text index in {self.folder} failed ({error}). Is the disk full? "
                "The index is rebuilt at the next run.",
            ) from error

    def search(self, query: TextQuery, limit: int, facets: Sequence[str] = (), offset: int = 0) -> TextHits:
        """See ``TextIndex.search``. Ties are broken by id, so that pages are stable."""
        self._index.reload()
        searcher = self._index.searcher()
        parsed = self._query(query)
        ranked = bool(query.terms or query.phrases)
        order = query.order or (None if ranked else "newest")
        found = searcher.search(parsed, limit=max(1, limit), offset=offset, **_ordering(order))
        ids = searcher.fast_field_values("id", [address for _, address in found.hits])
        scores = [float(score) if order is None else 0.0 for score, _ in found.hits]
        pairs = list(zip(scores, (int(id_) for id_ in ids), strict=True))
        if order is None:
            pairs.sort(key=lambda pair: (-pair[0], -pair[1]))
        return TextHits(
            tuple(id_ for _, id_ in pairs),
            tuple(score for score, _ in pairs),
            int(found.count or 0),
            _facets(searcher, parsed, facets),
        )

    def matching(self, where: Filter, limit: int) -> list[int]:
        """See ``TextIndex.matching``."""
        return list(self.search(TextQuery((), where=where), limit).ids)

    def _query(self, query: TextQuery) -> Any:
        parts = [(tantivy.Occur.Must, self._where(query.where))]
        for term in dict.fromkeys(query.terms):
            parts.append((tantivy.Occur.Must, self._word(term, query.weights)))
        for phrase in query.phrases:
            parts.append((tantivy.Occur.Must, self._phrase(phrase, query.weights)))
        return tantivy.Query.boolean_query(parts)

    def _word(self, term: str, weights: Mapping[str, float] | None) -> Any:
        """A word in any searched field: whole, begun (from two letters on), or with one letter wrong."""
        choices = []
        for field in _searched():
            weight = 1.0 if weights is None else float(weights[field.weight or ""])
            name = _words_name(field)
            choices.append((tantivy.Query.term_query(self.schema, name, term), weight))
            if len(term) >= 2 and weight >= 1.0:
                start = tantivy.Query.phrase_prefix_query(self.schema, name, [term])
                choices.append((tantivy.Query.const_score_query(start, 1.0), weight * 0.5))
            if len(term) >= 5 and weight >= 1.0:
                near = tantivy.Query.fuzzy_term_query(self.schema, name, term, distance=1)
                choices.append((tantivy.Query.const_score_query(near, 1.0), weight * 0.25))
        return tantivy.Query.disjunction_max_query(
            [tantivy.Query.boost_query(query, weight) for query, weight in choices], 0.2
        )

    def _phrase(self, phrase: Sequence[str], weights: Mapping[str, float] | None) -> Any:
        if len(phrase) == 1:
            return self._word(phrase[0], weights)
        queries = [
            tantivy.Query.boost_query(
                tantivy.Query.phrase_query(self.schema, _words_name(field), list(phrase)),
                1.0 if weights is None else float(weights[field.weight or ""]),
            )
            for field in _searched()
        ]
        return tantivy.Query.disjunction_max_query(queries, 0.2)

    def _where(self, node: Filter) -> Any:
        """A filter tree in the engine's terms; scores nothing."""
        return tantivy.Query.const_score_query(self._node(node), 0.0)

    def _node(self, node: Filter) -> Any:
        query, occur = tantivy.Query, tantivy.Occur
        match node:
            case And(nodes):
                parts = [(occur.Must, query.all_query()), *((occur.Must, self._node(n)) for n in nodes)]
                return query.boolean_query(parts)
            case Or(nodes):
                if not nodes:
                    return query.empty_query()
                return query.boolean_query([(occur.Should, self._node(n)) for n in nodes])
            case Not(inner):
                return query.boolean_query(
                    [(occur.Must, query.all_query()), (occur.MustNot, self._node(inner))]
                )
            case AnyOf(field, values):
                return self._any_of(field, values)
            case Words(field, terms, phrase):
                return self._words(field, terms, phrase)
            case Range():
                return self._range(node)
        raise TypeError(f"unknown filter {node!r}")

    def _any_of(self, field: Field, values: Sequence[str]) -> Any:
        if field.name != "hash":
            return tantivy.Query.term_set_query(self.schema, field.name, list(values))
        return tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Should, tantivy.Query.regex_query(self.schema, field.name, f"{value}.*"))
                for value in values
                if value.isalnum()
            ]
            or [(tantivy.Occur.Must, tantivy.Query.empty_query())]
        )

    def _words(self, field: Field, terms: Sequence[str], phrase: bool) -> Any:
        name = _words_name(field)
        if phrase and len(terms) > 1:
            return tantivy.Query.phrase_query(self.schema, name, list(terms))
        each = [
            (tantivy.Occur.Must, tantivy.Query.term_query(self.schema, name, term, index_option="basic"))
            for term in terms
        ]
        return tantivy.Query.boolean_query(each or [(tantivy.Occur.Must, tantivy.Query.all_query())])

    def _range(self, node: Range) -> Any:
        low, high = node.low, node.high
        if low is None and high is None:
            return tantivy.Query.exists_query(node.field.name)
        kind = tantivy.FieldType.Float
        if node.field.type is FieldType.DATE:
            kind = tantivy.FieldType.Integer
            low, high = (None if bound is None else _day_number(str(bound)) for bound in (low, high))
        else:
            low, high = (None if bound is None else float(bound) for bound in (low, high))
        with_low, with_high = low is None or not node.low_open, high is None or not node.high_open
        return tantivy.Query.range_query(self.schema, node.field.name, kind, low, high, with_low, with_high)


class TantivyWriter:
    """Puts documents into the index; the same id again replaces."""

    def __init__(self, schema: Any, writer: Any) -> None:
        self._schema = schema
        self._writer = writer

    def put(self, documents: Iterable[Document]) -> None:
        """Add or replace documents."""
        for document in documents:
            self.delete([document.id])
            self._writer.add_document(_document(document))

    def delete(self, ids: Iterable[int]) -> None:
        """Take documents out; unknown ids are no fault."""
        for id_ in ids:
            self._writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "id", id_))


def _ordering(order: str | None) -> dict[str, Any]:
    if order is None:
        return {}
    if order == "name":
        return {"order_by_field": "title", "order": tantivy.Order.Asc}
    return {"order_by_field": order}


def _searched() -> list[Field]:
    return [field for field in FIELDS.values() if field.weight is not None]


def _words_name(field: Field) -> str:
    """Name of the engine's field that holds a field's words."""
    return field.name if field.type in _TEXTUAL else f"{field.name}_words"


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("id", stored=False, indexed=True, fast=True)
    builder.add_integer_field("newest", stored=False, indexed=False, fast=True)
    builder.add_text_field("title", tokenizer_name="raw", index_option="basic", fast=True)
    for field in FIELDS.values():
        if field.type in _TEXTUAL or field.weight is not None:
            builder.add_text_field(_words_name(field), tokenizer_name="blank", index_option="position")
        if field.type in _KEYWORDS:
            builder.add_text_field(field.name, tokenizer_name="raw", index_option="basic", fast=field.facet)
        elif field.type in _NUMERIC:
            builder.add_float_field(field.name, indexed=True, fast=True)
        elif field.type is FieldType.DATE:
            builder.add_integer_field(field.name, indexed=True, fast=True)
    return builder.build()


def _format() -> dict[str, Any]:
    rows = [[f.name, f.type.value, f.facet, f.weight] for f in FIELDS.values()]
    return {"format": FORMAT, "fields": rows}


def _read_format(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}  # an unreadable marker counts as another format: the index is disposable
    return read if isinstance(read, dict) else {}


def _blank() -> Any:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def _day_number(day: str) -> int:
    """``YYYY-MM-DD`` as the integer YYYYMMDD; text order and number order agree."""
    digits = "".join(c for c in (day + _DAY_ZERO[len(day) :])[:10] if c.isdigit())
    return int(digits or 0)


def _document(document: Document) -> Any:
    row = tantivy.Document()
    row.add_unsigned("id", document.id)
    row.add_integer("newest", _day_number(document.created or "") * 4_294_967_296 + document.id)
    row.add_text("title", keyword(document.name))
    for field in FIELDS.values():
        values = values_of(document, field)
        if field.type in _TEXTUAL or field.weight is not None:
            _add_words(row, field, values)
        if field.type in _KEYWORDS:
            for value in dict.fromkeys(keyword(str(v)) for v in values):
                row.add_text(field.name, value)
        elif field.type in _NUMERIC:
            for value in values:
                row.add_float(field.name, float(value))
        elif field.type is FieldType.DATE:
            for value in values:
                row.add_integer(field.name, _day_number(str(value)))
    return row


def _add_words(row: Any, field: Field, values: Sequence[Any]) -> None:
    """Each value apart, so that no phrase runs from one into the next."""
    for value in values:
        terms = words(str(value))
        if terms:
            row.add_text(_words_name(field), " ".join(terms[:50_000]))


def _facets(searcher: Any, query: Any, names: Sequence[str]) -> dict[str, dict[str, int]]:
    if not names:
        return {}
    wanted = {name: {"terms": {"field": name, "size": 100}} for name in names}
    answer = searcher.aggregate(query, wanted)
    return {name: {str(b["key"]): int(b["doc_count"]) for b in answer[name]["buckets"]} for name in names}
