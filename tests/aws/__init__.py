"""Amazon Bedrock on loopback: a stand-in that boto3 itself talks to.

``with Bedrock([Reply("hello")]) as bedrock:`` serves on ``bedrock.url``; what was asked is in
``bedrock.requests``. From a shell: ``python -m tests.aws bedrock --responder COMMAND``.
"""

from tests.aws.account import Account, FoundationModel, Profile
from tests.aws.script import (
    Break,
    Cut,
    Hang,
    Intervene,
    Refuse,
    Reply,
    access_denied,
    expired,
    no_model_access,
    throttled,
    tool_call,
)
from tests.aws.server import Bedrock, Recorded, deaf_endpoint

__all__ = [
    "Account",
    "Bedrock",
    "Break",
    "Cut",
    "FoundationModel",
    "Hang",
    "Intervene",
    "Profile",
    "Recorded",
    "Refuse",
    "Reply",
    "access_denied",
    "deaf_endpoint",
    "expired",
    "no_model_access",
    "throttled",
    "tool_call",
]
