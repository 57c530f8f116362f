"""Settings come from YUNTU_ variables, and a wrong one stops the start by its name."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from index.errors import BadSettings
from index.settings import EMBEDDED, Settings


def test_without_variables_the_defaults_hold() -> None:
    settings = Settings.from_env({"HOME": "/root", "PATH": "/bin"})
    assert settings == Settings()
    assert (settings.index, settings.corpus, settings.encoder) == (Path("var/index"), Path("corpus"), EMBEDDED)


def test_variables_outrank_the_defaults() -> None:
    settings = Settings.from_env(
        {"YUNTU_INDEX": "/data/索引", "YUNTU_ENCODER": "BAAI/bge-m3", "YUNTU_TOP_K": "20", "YUNTU_THRESHOLD": "0.5"}
    )
    assert settings.index == Path("/data/索引")
    assert (settings.encoder, settings.top_k, settings.threshold) == ("BAAI/bge-m3", 20, 0.5)


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert Settings.from_env({"YUNTU_INDEX": "", "YUNTU_TOP_K": ""}) == Settings()


@pytest.mark.parametrize("name", ["YUNTU_INDX", "YUNTU_TOPK", "YUNTU_", "YUNTU_INDEX_DIR"])
def test_a_misspelt_variable_stops_the_start_and_the_right_names_are_listed(name: str) -> None:
    with pytest.raises(BadSettings, match=rf"{name} .*YUNTU_INDEX.*YUNTU_TOP_K"):
        Settings.from_env({name: "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("YUNTU_TOP_K", "0"),
        ("YUNTU_TOP_K", "51"),
        ("YUNTU_TOP_K", "ten"),
        ("YUNTU_TOP_K", "1.5"),
        ("YUNTU_MAX_CHARS", "49"),
        ("YUNTU_MAX_CHARS", "2001"),
        ("YUNTU_THRESHOLD", "1.1"),
        ("YUNTU_THRESHOLD", "-0.1"),
        ("YUNTU_MAX_QUESTION_CHARS", "9"),
        ("YUNTU_KEEP_VERSIONS", "0"),
    ],
)
def test_a_value_out_of_range_stops_the_start_by_its_name(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name) as raised:
        Settings.from_env({name: value})
    assert raised.value.code == "bad_settings"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().top_k = 3  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_what_workers_are_given_holds_no_secret() -> None:
    given = Settings(llm_api_key=SecretStr("k"), cache=Path("var/cache"), max_chars=100).for_workers()
    assert not any(value.get_secret_value() for _, value in given if isinstance(value, SecretStr))
    assert given.cache == Path.cwd() / "var" / "cache"
    assert given.max_chars == 100
