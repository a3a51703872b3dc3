"""An environment in which AWS is the stand-in, and nothing else."""

import os

import boto3
import pytest

from tests.aws.storage import clients, cloud, glue, moto, no_aws, s3, stub  # noqa: F401 - fixtures


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


@pytest.fixture(scope="session")
def boto_session():
    """One for all: loading the models of the services takes longer than the tests."""
    return boto3.Session("AKIAIOSFODNN7EXAMPLE", "not-a-key", region_name="us-east-1")
