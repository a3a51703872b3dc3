"""Ask a question in a Jupyter cell, get checked PySpark in the next one."""
