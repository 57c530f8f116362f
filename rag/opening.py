"""From a folder to an assistant that answers: its index, the encoder and the reader."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from index.settings import Settings
from index.stores.store import store_of
from rag.assistant import Assistant


def opened(settings: Settings, say: Callable[[str], None], *, read: bool = True) -> Assistant:
    """Answers from the version in use, or from the newest that is sound, after saying so.

    Args:
        say: told what is wrong with a version that is passed over.
        read: with the reader, unless it is switched off; searching alone needs none.
    Raises: IndexMissing, IndexDamaged, IndexMismatch, StoreUnavailable, StoreRefused, StoreUnfit, EncoderUnavailable,
        ReaderUnavailable.
    """
    from index.encode import load_encoder
    from rag.reader.read import load_reader

    found = store_of(settings).open_sound(say)  # before the encoder: no index is the commoner trouble
    with ThreadPoolExecutor(2) as pool:  # much of the loading is not Python's
        encoder = pool.submit(load_encoder, settings)
        reader = pool.submit(load_reader, settings) if read else None
        return Assistant(found, encoder.result(), settings, reader.result() if reader else None)
