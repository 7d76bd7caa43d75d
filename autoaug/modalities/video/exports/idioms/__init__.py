"""Policies for clips in the words of libraries."""
