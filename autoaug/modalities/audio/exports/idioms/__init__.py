"""Policies for sounds in the words of libraries."""
