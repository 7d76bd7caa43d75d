"""What stands beside the charts: rows of tables and sentences, as plain records."""
