"""The composition root: settings in, running parts out. Nothing else connects adapters to the engine or the door.

A module for each kind of process, so that none loads what it does not run.
"""
