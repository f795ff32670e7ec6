"""Kommo as we call it."""
