"""What S3 and Glue say when they do not give data, in plain words: what, where, what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bluebear_magic.aws_errors import Call, Trouble, diagnose
from bluebear_magic.errors import DatasetError

WHO = "aws sts get-caller-identity says which role this is"
_ARCHIVED = ("InvalidObjectState",)
_GONE = ("NoSuchKey", "404", "NotFound")
_ASK = "run it again; if it stays so, ask whoever administers the account"
# In place of what helps with a model.
_HINTS: dict[str, str] = {
    "throttled": "wait a minute, then run it again",
    "hang": "run it again; if it happens often, see whether the network is slow",
    "cut": "run it again",
    "unknown_model": "check the name and the region: %config Bluebear.aws_region",
    "old_boto3": "run: pip install --upgrade boto3",
}


class StorageError(DatasetError, OSError):
    """An object or a table that cannot be had. An OSError too: for who reads it as a file.

    ``gone``: there is none of that name; ``changed``: it is another one by now; ``refused``: the
    credentials, if there are any, are not accepted.
    """

    def __init__(
        self, message: str, hint: str = "", *, gone: bool = False, changed: bool = False,
        refused: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(message, hint)
        self.gone = gone
        self.changed = changed
        self.refused = refused


def storage_error(error: BaseException, call: Call) -> StorageError:
    """The error of a call to S3 or Glue."""
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    code = str(response.get("Error", {}).get("Code", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    said = str(response.get("Error", {}).get("Message", ""))
    if code in {"PreconditionFailed", "412"}:
        return StorageError(
            f"{call.resource} has changed while it was read",
            "run it again, once it is no longer written to",
            changed=True,
        )
    if code in _GONE:
        hint = "if it was there a moment ago, run it again: somebody has removed it"
        return StorageError(f"{call.resource} does not exist", hint, gone=True)
    if "Invalid bucket name" in str(error):
        code = "InvalidBucketName"
    found = _of_s3(code, status, said, response, call) if call.service == "s3" else None
    if code in {"EntityNotFoundException", "EntityNotFound"}:
        return StorageError(f"Glue has no {call.resource} {_where(call)}", gone=True)
    trouble = found or _denied(code, said, call) or diagnose(error, call)
    named = call.resource in trouble.message or (found and _bucket(call) in trouble.message)
    place = "" if named else f"{call.resource}: "
    return StorageError(
        f"{place}{trouble.message}",
        trouble.hint if found else _HINTS.get(trouble.reason, trouble.hint) or _ASK,
        refused=trouble.reason in {"credentials", "expired"},
    )


def _of_s3(
    code: str, status: int, said: str, response: Mapping[str, Any], call: Call
) -> Trouble | None:
    bucket = _bucket(call)
    if code == "NoSuchBucket":
        return Trouble(
            "other", f"there is no bucket {bucket}",
            "check the name; aws s3 ls lists those of this account",
        )  # fmt: skip
    if code == "InvalidBucketName":
        return Trouble("other", f"{bucket!r} cannot be the name of a bucket", "s3://BUCKET/KEY")
    if code in _ARCHIVED:
        return Trouble(
            "other", f"{call.resource} is archived and cannot be read",
            "restore it first (aws s3api restore-object), or point to other objects",
        )  # fmt: skip
    if code in {"PermanentRedirect", "AuthorizationHeaderMalformed", "301"} or status == 301:
        headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = headers.get("x-amz-bucket-region") or response.get("Error", {}).get("Region", "")
        there = f"in {region}" if region else "in another region"
        name = region or "its region"
        return Trouble(
            "region", f"the bucket {bucket} is {there}, and was asked for in {call.region}",
            f"%config Bluebear.aws_region = '{name}'   (aws s3api get-bucket-location says it)",
        )  # fmt: skip
    if code == "400" or (status == 400 and not said):  # to HEAD, which has no body to say more
        return Trouble(
            "other", f"S3 refuses the request for {call.resource} without a reason",
            "the credentials may have expired, or the bucket be in another region: " + WHO,
        )  # fmt: skip
    return None


def _denied(code: str, said: str, call: Call) -> Trouble | None:
    """A denial by the action that it was and what it was on, which S3 itself often does not say."""
    if code not in {"AccessDenied", "AccessDeniedException", "Forbidden", "403"}:
        return None
    if "expired" in said.lower():
        return None
    match = re.search(
        r"not authorized to perform:? ([\w-]+:\w+)(?: on resource:? \"?([^\s\"]+))?", said
    )
    action = match[1] if match else call.action
    resource = (match[2] if match and match[2] else "") or call.resource
    message = f"this role may not do {action} on {resource.rstrip('.')}"
    if call.owner:
        return Trouble(
            "denied", f"{message}, or its bucket is not the account {call.owner}'s",
            f"check the owner, and that the role may do {action} there; {WHO}",
        )  # fmt: skip
    if "explicit deny" in said:
        hint = f"a policy denies {action} expressly: ask whoever administers the account"
    else:
        hint = f"let the role do {action} there (IAM, or the owner of the bucket); {WHO}"
    return Trouble("denied", message, hint)


def _bucket(call: Call) -> str:
    return call.resource.removeprefix("s3://").partition("/")[0]


def _where(call: Call) -> str:
    return f"in {call.region}" if call.region else "there"
