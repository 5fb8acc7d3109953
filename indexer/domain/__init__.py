"""Pure words of the field: records, verdicts, fields, filters, vocabularies. Standard library only."""
