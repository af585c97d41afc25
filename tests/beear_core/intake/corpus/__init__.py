"""Crafted model folders, built by code: one attack each, and harmless look-alikes."""
