"""What fits autoaug into the frameworks that people train with, one file each."""
