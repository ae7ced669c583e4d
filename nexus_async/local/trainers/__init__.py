"""Trainers: what makes a local run go on."""
