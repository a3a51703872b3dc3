"""Runs code on Spark: the part that goes unchanged to every backend.

Imports nothing but the standard library, pyspark and pyarrow, so that the same
files serve the local worker, a Lambda image and an EMR entry point.
"""
