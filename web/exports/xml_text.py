"""Text that a file can hold: of Word, of Excel, in UTF-8."""

import re

_CANNOT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """`text`, with a mark for each control character or half surrogate pair: XML has no way to write those."""
    return _CANNOT.sub("\ufffd", text)
