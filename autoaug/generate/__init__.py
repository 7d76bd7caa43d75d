"""Samples that a model makes: a class-conditional GAN, a cheap rival, the gate they pass, and how they are judged."""
