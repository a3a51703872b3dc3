"""The frames of ``application/vnd.amazon.eventstream``, as a server writes them.

A frame: total length, headers' length, CRC-32 of these two, headers, payload, CRC-32 of all
before it; all numbers are big-endian. A header: its name's length (1 byte), its name, the type
of its value (7: text), its value's length (2 bytes), its value.
"""

import struct
import zlib

_TEXT = 7


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One frame with text headers."""
    packed = b"".join(map(_header, headers, headers.values()))
    prelude = struct.pack(">II", 12 + len(packed) + len(payload) + 4, len(packed))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + payload
    return body + struct.pack(">I", zlib.crc32(body))


def event(kind: str, payload: bytes) -> bytes:
    """An event of that kind with a JSON payload."""
    return frame(
        {":event-type": kind, ":content-type": "application/json", ":message-type": "event"},
        payload,
    )


def exception(kind: str, payload: bytes) -> bytes:
    """An error that the service knows, inside the stream."""
    return frame(
        {
            ":exception-type": kind,
            ":content-type": "application/json",
            ":message-type": "exception",
        },
        payload,
    )


def _header(name: str, value: str) -> bytes:
    raw_name, raw = name.encode(), value.encode()
    return struct.pack(">B", len(raw_name)) + raw_name + struct.pack(">BH", _TEXT, len(raw)) + raw
