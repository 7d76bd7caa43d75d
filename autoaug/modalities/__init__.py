"""One package per modality: its operators (one file per family), proxy models, loader and other parts."""
