"""One package a modality: its operators, one file a family, its proxy models and its loader."""
