"""Endpoint addresses."""

import pytest
from hyperframe.frame import DataFrame

from pgproxy.engines.channel import NodeAddress, parse_node_url
from pgproxy.engines.chunk_receiving import LargeFrames


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("grpc://127.0.0.1:9444", NodeAddress("127.0.0.1", 9444, is_tls=False)),
        ("grpcs://node.example:443", NodeAddress("node.example", 443, is_tls=True)),
        ("grpc://[::1]:9444/", NodeAddress("::1", 9444, is_tls=False)),
    ],
)
def test_an_endpoint_url_is_parsed(url: str, address: NodeAddress) -> None:
    assert parse_node_url(url) == address


@pytest.mark.parametrize(
    "url",
    ["", "node:1", "http://h:1", "grpc://h", "grpc://:1", "grpc://h:1/x", "grpc://u:p@h:1", "grpc://h:99999"],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_node_url(url)


def test_a_received_frame_is_not_turned_into_text() -> None:
    frames = LargeFrames()
    frames.max_frame_size = 100
    frames.add_data(DataFrame(1, b"secret rows").serialize())
    (frame,) = frames
    assert isinstance(frame, DataFrame)
    assert frame.data == b"secret rows"
    assert b"secret rows".hex() not in repr(frame)
