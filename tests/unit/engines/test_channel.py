"""Endpoint addresses."""

import pytest

from pgproxy.engines.channel import NodeAddress, parse_node_url


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
