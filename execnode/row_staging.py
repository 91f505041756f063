"""StageRows: the rows of a COPY FROM on their way into a temporary table of a pinned session."""

import pyarrow as pa

from execnode.engine import DuckSession
from execnode.rpc.execnode import v1


async def stage_rows(session: DuckSession, request: v1.StageRowsRequest) -> None:
    """Do what one call asks.

    Raises:
        ValueError: the action is unknown, or its Arrow stream is malformed.
        GatewayError: the engine refused it.
    """
    match request.action:
        case v1.StageAction.CREATE_TABLE:
            await session.create_staging(request.table, _reader(request).schema)
        case v1.StageAction.APPEND_ROWS:
            for batch in _reader(request):
                await session.append_staging(request.table, batch)
        case v1.StageAction.DROP_TABLE:
            await session.drop_staging(request.table)
        case _:
            raise ValueError("unknown action")


def _reader(request: v1.StageRowsRequest) -> pa.RecordBatchStreamReader:
    # Reading is zero-copy and lazy: nothing here takes longer with more rows.
    return pa.ipc.open_stream(pa.py_buffer(request.arrow_stream))
