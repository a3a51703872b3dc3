"""What S3 refuses, over real HTTP: each error says what, where and what to do, in a few words."""

import re
import threading
import time
from pathlib import Path

import pytest

from bluebear_magic.aws import Aws
from bluebear_magic.config import Settings
from bluebear_magic.context import objects as objects_module
from bluebear_magic.context.catalog import Catalog
from bluebear_magic.context.samples import Samples
from bluebear_magic.context.sources import Place
from bluebear_magic.errors import DatasetError
from bluebear_magic.testing import RecordingReporter
from tests.aws.storage import fault, listed, warm

DATA = b"n,what\n" + b"".join(b"%d,abc\n" % n for n in range(200_000))


def served(data=DATA, etag='"1"'):
    """An account with one object, ``s3://lake/x/data.csv``."""

    def answer(method, path, headers):
        if "list-type" in path:
            return listed(["x/data.csv"], len(data))
        if method == "HEAD":
            return 200, {"Content-Length": len(data), "ETag": etag}, b""
        begin, end = map(int, re.findall(r"\d+", headers["Range"]))
        return 206, {"ETag": etag}, data[begin : end + 1]

    return answer


@pytest.fixture
def catalog(no_aws, boto_session):
    return warm(Catalog(), boto_session)


@pytest.fixture
def refused(catalog):
    """``refused(location, **options)``: what is told; a new try each time."""

    def refused(location="s3://lake/x/", **options):
        clients = catalog._sources.of(location)._clients
        for aws in clients._by_region.values():
            aws._clients.clear()  # of another stub
        with pytest.raises(DatasetError) as caught:
            catalog.add("data", location, **options)
        catalog._sources.of(location).objects.forget()
        assert caught.value.hint
        return str(caught.value)

    return refused


def always(answer):
    return lambda method, path, headers: answer


def test_no_credentials(stub, no_aws):
    server = stub(served())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        no_aws.delenv(name)
    with pytest.raises(DatasetError) as caught:
        Catalog().add("data", "s3://lake/x/")
    assert "there are no AWS credentials" in str(caught.value)
    assert "aws configure sso" in str(caught.value)
    assert server.asked == []


def test_credentials_that_come_later_are_found(stub, no_aws):
    """Nothing of a refusal is kept: the cell can be run again."""
    stub(served())
    catalog = Catalog()
    no_aws.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(DatasetError, match="credentials"):
        catalog.add("data", "s3://lake/x/")
    no_aws.setenv("AWS_ACCESS_KEY_ID", "testing")
    assert catalog.add("data", "s3://lake/x/").format == "csv"


def test_expired_credentials(stub, refused):
    stub(always(fault("ExpiredToken", "The provided token has expired.", 400)))
    told = refused()
    assert "the AWS credentials have expired" in told
    assert "aws sso login" in told
    stub(always((400, {}, b"")))  # what HEAD gets
    assert "expired" in refused("s3://lake/x/data.csv")


def test_keys_that_aws_does_not_know(stub, refused):
    message = "The AWS Access Key Id you provided does not exist in our records."
    stub(always(fault("InvalidAccessKeyId", message)))
    assert "AWS does not accept these credentials" in refused()


def test_no_permission_to_list(stub, refused):
    stub(always(fault("AccessDenied", "Access Denied")))
    told = refused()
    assert "this role may not do s3:ListBucket on s3://lake" in told
    assert "let the role do s3:ListBucket there" in told
    said = (
        "User: arn:aws:sts::123456789012:assumed-role/nb is not authorized to perform: "
        "s3:ListBucket on resource: &quot;arn:aws:s3:::lake&quot; with an explicit deny"
    )
    stub(always(fault("AccessDenied", said)))
    told = refused()
    assert "may not do s3:ListBucket on arn:aws:s3:::lake" in told
    assert "a policy denies s3:ListBucket expressly" in told


def test_no_permission_to_read(stub, refused):
    def answer(method, path, headers):
        if "list-type" in path:
            return listed(["x/data.csv"])
        return (403, {}, b"") if method == "HEAD" else fault("AccessDenied", "Access Denied")

    stub(answer)
    assert "may not do s3:GetObject on s3://lake/x/data.csv" in refused()
    assert "may not do s3:GetObject on s3://lake/x/data.csv" in refused("s3://lake/x/data.csv")


def test_a_key_that_may_not_be_used(stub, refused):
    def answer(method, path, headers):
        if "list-type" in path:
            return listed(["x/data.csv"])
        said = (
            "User: arn:aws:iam::1:role/nb is not authorized to perform: kms:Decrypt on resource: "
            "arn:aws:kms:us-east-1:123456789012:key/abc because no policy allows it"
        )
        return fault("AccessDenied", said)

    stub(answer)
    assert "may not do kms:Decrypt on arn:aws:kms:us-east-1:123456789012:key/abc" in refused()


def test_a_single_object_needs_no_listing(stub, catalog):
    def answer(method, path, headers):
        if "list-type" in path:
            return fault("AccessDenied", "Access Denied")
        return served()(method, path, headers)

    stub(answer)
    assert catalog.add("data", "s3://lake/x/data.csv").size_bytes == len(DATA)


def test_a_bucket_in_another_region_is_followed_there(stub, catalog):
    def answer(method, path, headers):
        if "/eu-west-1/s3/" in headers["Authorization"]:
            return served()(method, path, headers)
        there = {"x-amz-bucket-region": "eu-west-1"}
        return fault("PermanentRedirect", "Use the endpoint.", 301, there)

    stub(answer)
    dataset = catalog.add("data", "s3://lake/x/")
    assert dataset.ddl == "`n` BIGINT, `what` STRING"


def test_a_bucket_that_cannot_be_followed(stub, refused):
    there = {"x-amz-bucket-region": "eu-west-1"}
    stub(always(fault("PermanentRedirect", "Use the endpoint.", 301, there)))
    told = refused()
    assert "the bucket lake is in eu-west-1, and was asked for in us-east-1" in told
    assert "%config Bluebear.aws_region = 'eu-west-1'" in told


def test_a_bucket_of_another_owner(stub, refused, catalog):
    def answer(method, path, headers):
        if headers.get("x-amz-expected-bucket-owner") not in {None, "111122223333"}:
            return fault("AccessDenied", "Access Denied")
        return served()(method, path, headers)

    server = stub(answer)
    told = refused(owner="999988887777")
    assert "or its bucket is not the account 999988887777's" in told
    assert "12 digits" in refused(owner="me")
    assert catalog.add("data", "s3://lake/x/", owner="111122223333").options
    owners = {headers.get("x-amz-expected-bucket-owner") for _, _, headers in server.asked[-2:]}
    assert owners == {"111122223333"}


def test_a_service_that_is_busy(stub, refused):
    stub(always(fault("SlowDown", "Please reduce your request rate.", 503)))
    told = refused()
    assert "S3 is asked too often" in told
    assert "wait a minute, then run it again" in told
    assert "model" not in told


def test_a_service_that_is_silent(stub):
    def answer(method, path, headers):
        time.sleep(0.5)
        return served()(method, path, headers)

    stub(answer)
    catalog = Catalog()
    clients = catalog._sources.of("s3://lake")._clients
    clients._by_region[""] = Aws(read_seconds=0.1)
    with pytest.raises(DatasetError, match=r"S3 was silent for 0.1 s(.|\n)*run it again"):
        catalog.add("data", "s3://lake/x/")


def test_a_place_that_cannot_be_reached(stub, no_aws, refused):
    stub(served())
    no_aws.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    told = refused()
    assert "S3 in us-east-1 cannot be reached" in told
    assert "com.amazonaws.us-east-1.s3" in told


def breaking(times):
    """Streams that end after 100,000 bytes, so many times."""
    left = [times]
    lock = threading.Lock()

    def answer(method, path, headers):
        status, more, body = served()(method, path, headers)
        with lock:
            broken = status == 206 and len(body) > 100_000 and left[0] > 0
            left[0] -= broken
        if broken:
            return status, {**more, "Content-Length": len(body)}, body[:100_000]
        return status, more, body

    return answer


def test_a_stream_that_breaks_is_gone_on_with(stub, catalog):
    server = stub(breaking(3))
    dataset = catalog.add("data", "s3://lake/x/")
    (path,) = catalog.whole(dataset, RecordingReporter()).paths
    assert Path(path).read_bytes() == DATA
    ranges = [headers["Range"] for method, _, headers in server.asked if "Range" in headers]
    assert ranges[:2] == [f"bytes=0-{len(DATA) - 1}", f"bytes=100000-{len(DATA) - 1}"]


def test_a_stream_that_always_breaks_is_given_up(stub, refused):
    def answer(method, path, headers):
        status, more, body = served()(method, path, headers)
        return (
            (status, {**more, "Content-Length": len(body)}, b"")
            if status == 206
            else (status, more, body)
        )

    server = stub(answer)
    told = refused()
    assert "s3://lake/x/data.csv: the stream broke 4 times at byte 0 of" in told
    assert len([1 for _, _, headers in server.asked if "Range" in headers]) == 4


def test_an_object_that_changes_while_it_is_read(stub, refused):
    """Its ETag goes with every read: what comes is of the state that was listed, or an error."""
    seen = []

    def answer(method, path, headers):
        if "Range" in headers:
            seen.append(headers.get("If-Match"))
            if len(seen) > 1:
                return fault("PreconditionFailed", "At least one of them did not hold.", 412)
        return breaking(1)(method, path, headers)

    stub(answer)
    told = refused()
    assert told.startswith("s3://lake/x/data.csv has changed while it was read\nrun it again")
    assert set(seen) == {'"0"'}


# --- very many objects ------------------------------------------------------------


def pages(count, size):
    """A listing of ``count`` objects; anything else is refused, so that it would be noticed."""

    def answer(method, path, headers):
        if "list-type" not in path:
            return fault("AccessDenied", "Access Denied")
        found = re.search(r"continuation-token=(\d+)", path)
        begin = int(found[1]) if found else 0
        end = min(count, begin + 1000)
        keys = [f"x/day={n // 1000}/{n:07}.csv" for n in range(begin, end)]
        return listed(keys, size, str(end) if end < count else "")

    return answer


def test_more_than_ten_thousand_objects_are_told_and_cost_a_listing(stub, boto_session):
    read, data = [], DATA[: DATA.index(b"2000,")]

    def answer(method, path, headers):
        if "Range" in headers:
            read.append(path)
            begin, end = map(int, re.findall(r"\d+", headers["Range"]))
            return 206, {}, data[begin : end + 1]
        return pages(10_500, len(data))(method, path, headers)

    server = stub(answer)
    catalog = warm(Catalog(None, Place(None, Settings(s3_cache_mb=10))), boto_session)
    dataset = catalog.add("data", "s3://lake/x/")
    assert len(dataset.paths) == 10_500
    assert "10,500 objects: Spark reads fewer, larger ones much faster" in dataset.warnings
    assert catalog.get("data") is dataset  # the listing still counts
    assert len([1 for _, path, _ in server.asked if "list-type" in path]) == 11
    assert len(set(read)) == 3
    (sample,) = Samples().of([dataset], 1000)
    assert sample.note == "head, middle and tail of 3 of 10500 files"
    assert len(set(read)) <= 4
    with pytest.raises(DatasetError, match=r"local Spark reads copies of S3, of at most"):
        catalog.whole(dataset, RecordingReporter())


def test_a_listing_ends_at_a_ceiling(stub, monkeypatch, refused):
    monkeypatch.setattr(objects_module, "MOST_OBJECTS", 3000)
    server = stub(pages(50_000, 10))
    told = refused()
    assert "s3://lake/x/ holds more than 3,000 objects" in told
    assert "point to a part of it" in told
    assert len(server.asked) == 4
