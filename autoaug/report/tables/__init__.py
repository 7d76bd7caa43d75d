"""The tables and sentences of the report, as plain records."""
