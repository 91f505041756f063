"""Every transcript gives PostgreSQL's messages on PostgreSQL (the record is true) and on the gateway."""

from pathlib import Path

import pytest

from tests.gateway import RunningGateway
from tests.wire.connection import Target
from tests.wire.servers import FOLDER, gateway_target
from tests.wire.transcript import format_transcript, parse_transcript, play

TRANSCRIPTS = sorted(FOLDER.glob("*.pgt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_record_is_what_postgresql_answers(path: Path, postgres_server: Target) -> None:
    for group, answer in play(parse_transcript(path.read_text()), postgres_server):
        assert answer == group.expected, group.sends


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_gateway_answers_what_postgresql_answers(path: Path, gateway: RunningGateway) -> None:
    transcript = parse_transcript(path.read_text())
    if transcript.is_writing and gateway.nodes:
        pytest.skip("the node's data is read-only")
    for group, answer in play(transcript, gateway_target(gateway)):
        assert answer == (group.gateway or group.expected), group.sends


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_is_read_and_written_unchanged(path: Path) -> None:
    assert format_transcript(parse_transcript(path.read_text())) == path.read_text()
