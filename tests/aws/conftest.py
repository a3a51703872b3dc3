"""An environment in which AWS is the stand-in, and nothing else."""

import os

import pytest


@pytest.fixture
def aws(monkeypatch):
    """``aws(server)``: boto3 goes to this server, with keys that are none."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)

    def point(bedrock, **more):
        for name, value in {**bedrock.environment, **more}.items():
            monkeypatch.setenv(name, value)

    return point
