"""COPY's three file formats, in both directions: Arrow record batches ⇄ CopyData, by whole columns.

PostgreSQL docs, "COPY", File Formats.
"""

from pgwire.copy.binary import CopyBinaryDecoder
from pgwire.copy.decoder import CopyTextDecoder
from pgwire.copy.encoders import (
    BINARY_SIGNATURE,
    CopyBinaryEncoder,
    CopyCsvEncoder,
    CopyTextEncoder,
    copy_data,
    join_header,
)
from pgwire.copy.lines import CopyCsvOptions, CopyTextOptions
from pgwire.copy.options import CopyFormat, CopyOptions, CopyOptionValue, HeaderLine, read_copy_options
from pgwire.copy.targets import CopyTarget, MomentForms, TargetColumn, staging_engine_type

__all__ = [
    "BINARY_SIGNATURE",
    "CopyBinaryDecoder",
    "CopyBinaryEncoder",
    "CopyCsvEncoder",
    "CopyCsvOptions",
    "CopyFormat",
    "CopyOptionValue",
    "CopyOptions",
    "CopyTarget",
    "CopyTextDecoder",
    "CopyTextEncoder",
    "CopyTextOptions",
    "HeaderLine",
    "MomentForms",
    "TargetColumn",
    "copy_data",
    "join_header",
    "read_copy_options",
    "staging_engine_type",
]
