"""Policies for images in the words of libraries; see `autoaug.modalities.runtime.Words`."""
